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

/** Answers memory for at least so many bytes. What lies there is read before it is answered again. */
export type Lender = (bytes: number) => Buffer;

/** Neighbours of one stream: where they began, and where they lie in the collector's memory. */
interface Run {
  readonly at: Position;
  readonly stream: OutputStream;
  readonly begin: number;
}

/**
 * Gathers what one read answers, in memory of its own: the journal's is used again. Neighbours of one stream come to lie
 * side by side and are one chunk.
 */
export class ChunkCollector {
  readonly #chunks: JournalChunk[] = [];
  readonly #lend: Lender;
  #memory: Buffer | undefined;
  /** How much of the memory is filled. */
  #filled = 0;
  #cursor: number;
  #room: number;
  #run: Run | undefined;

  constructor(cursor: number, maxBytes: number, lend: Lender) {
    this.#cursor = cursor;
    this.#room = maxBytes;
    this.#lend = lend;
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
   * The memory that it gathers in, asked for before anything is gathered. What lies there may be gathered itself, in its
   * order: it moves towards the beginning.
   */
  memory(bytes: number): Buffer {
    return (this.#memory ??= this.#lend(bytes));
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
    if (this.#run?.stream !== stream) {
      this.#endRun();
      this.#run = { at: advance(at, stream, skipped), stream, begin: this.#filled };
    }
    this.#filled += source.copy(this.memory(length), this.#filled, from, to);
  }

  finish(): JournalChunk[] {
    this.#endRun();
    return this.#chunks;
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
      data: this.memory(0).subarray(run.begin, this.#filled),
    });
  }
}
