import type { Mark } from "./chunks.ts";

/** A record is remembered each so many bytes of the file, so that a read at any cursor scans no more than that. */
const MARK_BYTES = 64 * 1024;
/** Where the latest reads ended is remembered too, so that readers who go on do not scan again. */
const MAX_RECENT_MARKS = 8;

/** Where in a segment's file some of its records begin. */
export class SegmentIndex {
  /** Offset, cursor and stdoutBytes, one mark after the other: 24 bytes each, less than half of what an object takes. */
  readonly #marks: number[] = [];
  #recent: Mark[] = [];

  constructor(first: Mark) {
    this.#push(first);
  }

  /** Remembers a record if the last one remembered lies far enough before it. */
  add(mark: Mark): void {
    if (mark.offset >= (this.#marks.at(-3) ?? 0) + MARK_BYTES) this.#push(mark);
  }

  /** Remembers where a read ended. */
  readUpTo(mark: Mark): void {
    this.add(mark);
    if (this.#recent.length >= MAX_RECENT_MARKS) this.#recent.shift();
    this.#recent.push(mark);
  }

  /** The last record known that begins at or before the cursor. */
  before(cursor: number): Mark {
    let low = 0;
    let high = this.#marks.length / 3 - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#at(middle).position.cursor <= cursor) low = middle;
      else high = middle - 1;
    }
    let best = this.#at(low);
    for (const mark of this.#recent) {
      if (mark.position.cursor <= cursor && mark.position.cursor > best.position.cursor) best = mark;
    }
    return best;
  }

  #push(mark: Mark): void {
    this.#marks.push(mark.offset, mark.position.cursor, mark.position.stdoutBytes);
  }

  #at(i: number): Mark {
    const [offset = 0, cursor = 0, stdoutBytes = 0] = this.#marks.slice(3 * i, 3 * i + 3);
    return { position: { cursor, stdoutBytes }, offset };
  }
}
