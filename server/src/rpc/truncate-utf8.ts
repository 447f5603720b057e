/** The text in at most `maxBytes` of UTF-8, well-formed, and with an ellipsis where something was cut. */
export function truncateUtf8(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return bytes.toString();
  let end = maxBytes - ellipsisBytes;
  // Not in the middle of a character, whose continuation bytes are 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString("utf8", 0, end)}…`;
}

const ellipsisBytes = 3;
