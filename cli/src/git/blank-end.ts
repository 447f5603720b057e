/** The blank lines at the end of a text, as git counts them. */
export class BlankEnd {
  /** How many there are. */
  readonly blankLines: number;
  /** The number of the first of them, from 1. */
  readonly begin: number;

  constructor(text: Buffer | null) {
    if (text === null) {
      [this.blankLines, this.begin] = [0, 1];
      return;
    }
    const lines = countLines(text);
    this.blankLines = countTrailing(text);
    this.begin = lines - this.blankLines + 1;
  }
}

function countLines(text: Buffer): number {
  let lines = 0;
  for (let at = text.indexOf(newline); at >= 0; at = text.indexOf(newline, at + 1)) lines++;
  return text.length > 0 && text.at(-1) !== newline ? lines + 1 : lines;
}

/** Git does not count a first line of one character or none. */
function countTrailing(text: Buffer): number {
  let lines = 0;
  let last = text.at(-1) === newline ? text.length - 2 : text.length - 1;
  while (last > 0) {
    const before = text.lastIndexOf(newline, last);
    if (!text.subarray(before + 1, last + 1).every((byte) => blanks.has(byte))) break;
    lines++;
    last = before - 1;
  }
  return lines;
}

const blanks = new Set([0x20, 0x09, 0x0d, 0x0a]);
const newline = 0x0a;
