import type { OutputStream } from "../spec.ts";
import { advance, type Position, RecordWalk } from "./record.ts";

export interface JournalChunk {
  readonly cursor: number;
  readonly stream: OutputStream;
  readonly streamOffset: number;
  readonly data: Uint8Array;
}

/** A record's beginning: its place in the output and in what holds it. */
export interface Mark {
  readonly position: Position;
  readonly offset: number;
}

/**
 * How many chunks one read answers at most, so that a program that changes streams at every byte does not turn 64 KiB
 * into 65,536 objects.
 */
const MAX_CHUNKS = 4096;

/** Records of this size are handed out as they lie; smaller neighbours of one stream are copied together. */
const LARGE_BYTES = 16 * 1024;

/** Small neighbours of one stream. They lie in `source` as one, or are being copied to a buffer of their own. */
interface Run {
  readonly at: Position;
  readonly stream: OutputStream;
  source: Buffer;
  begin: number;
  end: number;
  copied: boolean;
}

/** Gathers what one read answers. */
export class ChunkCollector {
  readonly #chunks: JournalChunk[] = [];
  #cursor: number;
  #room: number;
  #run: Run | undefined;

  constructor(cursor: number, maxBytes: number) {
    this.#cursor = cursor;
    this.#room = maxBytes;
  }

  /** The cursor after what was gathered. */
  get cursor(): number {
    return this.#cursor;
  }

  get empty(): boolean {
    return this.#run === undefined && this.#chunks.length === 0;
  }

  get full(): boolean {
    return this.#room === 0 || this.#chunks.length >= MAX_CHUNKS;
  }

  /**
   * Gathers from the records in `buffer[from.offset, end)` what lies from the cursor up to `endCursor`. Returns the last
   * record that it came to, so that the next read can begin there, or undefined where there is no record but damage.
   */
  collect(buffer: Buffer, from: Mark, end: number, endCursor: number): Mark | undefined {
    const walk = new RecordWalk(buffer, from.offset, end);
    let { position, offset } = from;
    while (!this.full && position.cursor < endCursor && walk.next()) {
      this.take(position, walk.stream, buffer, walk.dataOffset, Math.min(walk.nextOffset, end));
      if (this.#cursor < position.cursor + walk.length) break;
      position = advance(position, walk.stream, walk.length);
      offset = walk.nextOffset;
    }
    return walk.damaged ? undefined : { position, offset };
  }

  /** Gathers what of `source[begin, end)`, printed at `at`, lies past the cursor. */
  take(at: Position, stream: OutputStream, source: Buffer, begin: number, end: number): void {
    const skipped = Math.max(0, this.#cursor - at.cursor);
    const from = begin + skipped;
    const to = Math.min(end, from + this.#room);
    if (from >= to) return;
    const length = to - from;
    this.#room -= length;
    this.#cursor = at.cursor + skipped + length;
    const large = length >= LARGE_BYTES;
    if (!large && this.#run?.stream === stream) {
      this.#extend(this.#run, source, from, to);
      return;
    }
    this.#endRun();
    this.#run = { at: advance(at, stream, skipped), stream, source, begin: from, end: to, copied: false };
    if (large) this.#endRun();
  }

  finish(): JournalChunk[] {
    this.#endRun();
    return this.#chunks;
  }

  #extend(run: Run, source: Buffer, from: number, to: number): void {
    if (!run.copied || run.end + to - from > run.source.length) {
      const length = run.end - run.begin;
      const joined = Buffer.allocUnsafe(Math.max(2 * (length + to - from), 256));
      run.source.copy(joined, 0, run.begin, run.end);
      Object.assign(run, { source: joined, begin: 0, end: length, copied: true });
    }
    run.end += source.copy(run.source, run.end, from, to);
  }

  #endRun(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const { cursor, stdoutBytes } = run.at;
    this.#chunks.push({
      cursor,
      stream: run.stream,
      streamOffset: run.stream === "stdout" ? stdoutBytes : cursor - stdoutBytes,
      data: run.source.subarray(run.begin, run.end),
    });
  }
}
