/** One stretch of a unified diff; lines count from 1, `offset` and `length` are bytes of the diff. */
export interface Hunk {
  readonly originalStart: number;
  readonly originalLines: number;
  readonly modifiedStart: number;
  readonly modifiedLines: number;
  readonly offset: number;
  readonly length: number;
}

/** No line of a diff's content begins with "@", so this is found at hunks alone. */
const MARK = Buffer.from("\n@@ -");
const LONGEST_HEADER = 64;

/** The hunks whose headers lie in a range of a unified diff, at most so many. */
export function findHunks(diff: Buffer, begin: number, end: number, most: number): Hunk[] {
  const hunks: Hunk[] = [];
  let at = diff.indexOf(MARK, Math.max(0, begin - 1));
  while (at !== -1 && at + 1 < end && hunks.length < most) {
    const offset = at + 1;
    const next = diff.indexOf(MARK, offset);
    const length = (next === -1 ? diff.length : next + 1) - offset;
    const header = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(
      diff.toString("latin1", offset, offset + Math.min(length, LONGEST_HEADER)),
    );
    if (header !== null) {
      const [, originalStart, originalLines = 1, modifiedStart, modifiedLines = 1] = header;
      hunks.push({
        originalStart: Number(originalStart),
        originalLines: Number(originalLines),
        modifiedStart: Number(modifiedStart),
        modifiedLines: Number(modifiedLines),
        offset,
        length,
      });
    }
    at = next;
  }
  return hunks;
}
