/** A line that matches. */
export interface LineMatch {
  /** From 1. */
  readonly lineNumber: number;
  /** Without its end, cut to what goes into a reply. */
  readonly line: Buffer;
  readonly lineTruncated: boolean;
  readonly spans: readonly Span[];
}

export interface Span {
  readonly begin: number;
  readonly end: number;
}

/** A match as it is told: the line without its end, cut, with the spans that are in it. */
export function lineMatch(lineNumber: number, whole: Buffer, spans: readonly Span[]): LineMatch {
  let end = whole.length;
  if (whole[end - 1] === newline) end--;
  if (whole[end - 1] === carriageReturn) end--;
  const length = Math.min(end, maxLineBytes);
  return {
    lineNumber,
    // A copy: the line is a part of a block that may go.
    line: Buffer.from(whole.subarray(0, length)),
    lineTruncated: end > length,
    spans: spans.filter((span) => span.end <= length).slice(0, maxSpans),
  };
}

/** Whether a file that begins so is not text. */
export function isBinary(head: Buffer): boolean {
  return head.subarray(0, headBytes).includes(0);
}

export const headBytes = 8192;
const maxLineBytes = 8192;
const maxSpans = 1_000;
const newline = 0x0a;
const carriageReturn = 0x0d;
