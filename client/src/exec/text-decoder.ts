/** Decodes UTF-8 that comes in chunks: cut it where you will, the text is the same. What is no UTF-8 becomes U+FFFD. */
export class ChunkDecoder {
  #carry = new Uint8Array(0);

  /** The text of all characters that are complete. */
  push(bytes: Uint8Array): string {
    const all = this.#carry.length === 0 ? bytes : Buffer.concat([this.#carry, bytes]);
    const complete = all.length - incompleteTail(all);
    // A copy, which a Buffer's own `slice` is not: a chunk's memory may be used again.
    this.#carry = new Uint8Array(all.subarray(complete));
    return decodeText(all.subarray(0, complete));
  }

  /** The text of what never was completed. */
  flush(): string {
    const text = decodeText(this.#carry);
    this.#carry = new Uint8Array(0);
    return text;
  }
}

/** Bytes as UTF-8, lossily. A byte order mark is kept. */
export function decodeText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** How many bytes at the end are the beginning of a character that more bytes could complete: 0 to 3. */
export function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const isBeginning =
      sequenceLength(byte) > back && isSecondByte(byte, back > 1 ? bytes[bytes.length - back + 1] : undefined);
    return isBeginning ? back : 0;
  }
  return 0;
}

/** How many bytes at the beginning are the rest of a character that began before: 0 to 3. */
export function danglingHead(bytes: Uint8Array): number {
  let count = 0;
  while (count < 3 && isContinuation(bytes[count] ?? 0)) count++;
  return count;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/** After some leads not every continuation is a character's: those would be overlong, surrogates or past U+10FFFF. */
function isSecondByte(lead: number, second: number | undefined): boolean {
  if (second === undefined) return true;
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second <= 0x9f;
  if (lead === 0xf0) return second >= 0x90;
  return lead === 0xf4 ? second <= 0x8f : true;
}
