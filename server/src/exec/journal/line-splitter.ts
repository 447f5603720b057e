import type { JournalChunk } from "./chunks.ts";

/** The longest line that is answered as one. */
export const PIECE_BYTES = 64 * 1024;
export const LINE_FEED = 0x0a;

export interface Line {
  /** Of its first byte. */
  readonly cursor: number;
  readonly data: Buffer;
  /** Whether it goes on in the next piece. */
  readonly partial: boolean;
  /** The byte at which it was known to be over: its line feed, or the first byte of the next piece. */
  readonly endCursor: number;
}

/**
 * Splits one stream's bytes into lines. A line longer than 64 KiB is cut after 64 KiB, then at each multiple of 64 KiB of
 * the stream's offset: wherever in it reading begins, the last 128 KiB tell where the piece at hand began.
 */
export class LineSplitter {
  readonly #find: ((data: Buffer, from: number) => number) | undefined;
  #cursor = 0;
  #parts: Buffer[] = [];
  #length = 0;
  /** How long the piece at hand can become. */
  #room = PIECE_BYTES;

  /** Begins at the beginning of a line. With `find`, lines in which it finds nothing may be passed over. */
  constructor(find?: (data: Buffer, from: number) => number) {
    this.#find = find;
  }

  *feed({ cursor, streamOffset, data }: JournalChunk): Generator<Line, void> {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
    let at = 0;
    while (at < bytes.length) {
      at = this.#passOver(bytes, at);
      const lineFeed = bytes.indexOf(LINE_FEED, at);
      const end = Math.min(lineFeed < 0 ? bytes.length : lineFeed, at + this.#room - this.#length);
      this.#add(bytes.subarray(at, end), cursor + at);
      at = end;
      if (at === lineFeed) {
        yield this.#take(cursor + at, { partial: false, nextRoom: PIECE_BYTES });
        at++;
      } else if (at < bytes.length) {
        yield this.#take(cursor + at, { partial: true, nextRoom: PIECE_BYTES - ((streamOffset + at) % PIECE_BYTES) });
      }
    }
  }

  /** What stands after the last line feed, if anything does. */
  rest(endCursor: number): Line | undefined {
    return this.#length === 0 ? undefined : this.#take(endCursor, { partial: false, nextRoom: PIECE_BYTES });
  }

  #add(part: Buffer, cursor: number): void {
    if (this.#length === 0) this.#cursor = cursor;
    if (part.length > 0) this.#parts.push(part);
    this.#length += part.length;
  }

  #take(endCursor: number, { partial, nextRoom }: { partial: boolean; nextRoom: number }): Line {
    const [first] = this.#parts;
    const data = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    this.#room = nextRoom;
    return { cursor: this.#cursor, data, partial, endCursor };
  }

  /** Goes to the next line that is of interest, as far as lines begin and end in `bytes`. */
  #passOver(bytes: Buffer, at: number): number {
    if (this.#find === undefined || this.#length > 0) return at;
    const lastLineFeed = bytes.lastIndexOf(LINE_FEED);
    if (lastLineFeed < at) return at;
    const found = this.#find(bytes, at);
    const isInWholeLine = found >= at && found < lastLineFeed;
    const next = isInWholeLine ? bytes.subarray(at, found).lastIndexOf(LINE_FEED) + at + 1 : lastLineFeed + 1;
    if (next > at) this.#room = PIECE_BYTES;
    return next;
  }
}
