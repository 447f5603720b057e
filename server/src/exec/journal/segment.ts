import { fstatSync, unlinkSync, writevSync } from "node:fs";
import type { ChunkCollector, Mark } from "./chunks.ts";
import type { Batch } from "./memory-tail.ts";
import { advance, type Position, RecordWalk } from "./record.ts";
import {
  closeFile,
  createForWriting,
  decodeSegmentHeader,
  encodeSegmentHeader,
  readFully,
  SEGMENT_HEADER_BYTES,
  whileOpen,
  withoutFirstBytes,
  writeFully,
} from "./segment-file.ts";
import { SegmentIndex } from "./segment-index.ts";

/** The most that is read from the file at once. */
const READ_BYTES = 512 * 1024;
/** Read beyond what was asked for, so that headers do not make an answer short. */
const READ_SLACK_BYTES = 4 * 1024;

/** One file of a journal. */
export class Segment {
  readonly path: string;
  readonly start: Position;
  #end: Position;
  #bytes = 0;
  #fd: number | undefined;
  readonly #index: SegmentIndex;

  private constructor(path: string, start: Position) {
    this.path = path;
    this.start = start;
    this.#end = start;
    this.#index = new SegmentIndex({ position: start, offset: SEGMENT_HEADER_BYTES });
  }

  static create(path: string, start: Position): Segment {
    const segment = new Segment(path, start);
    segment.#fd = createForWriting(path);
    return segment;
  }

  /** A file that an earlier server wrote; undefined if it has no whole header. Its end is to be told or scanned. */
  static async open(path: string): Promise<Segment | undefined> {
    return await whileOpen(path, async (fd) => {
      const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
      await readFully(fd, header, 0);
      const start = decodeSegmentHeader(header);
      if (start === undefined) return undefined;
      const segment = new Segment(path, start);
      segment.#bytes = fstatSync(fd).size;
      return segment;
    });
  }

  get end(): Position {
    return this.#end;
  }

  /** How long the file is, as far as it holds whole records. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it still takes records. */
  get writable(): boolean {
    return this.#fd !== undefined;
  }

  /** Appends a batch. After an error nothing of it counts: it can be appended again, and lands in the same place. */
  async append(batch: Batch): Promise<void> {
    await writeFully(this.#writableFd(), this.#withHeader(batch), this.#bytes);
    this.#appended(batch);
  }

  /** The same at once, for little data: a write to the page cache takes less than the way to a thread and back. */
  appendSync(batch: Batch): void {
    const fd = this.#writableFd();
    let position = this.#bytes;
    for (let rest = this.#withHeader(batch); rest.length > 0;) {
      const bytesWritten = writevSync(fd, rest, position);
      position += bytesWritten;
      rest = withoutFirstBytes(rest, bytesWritten);
    }
    this.#appended(batch);
  }

  /** Gathers from the collector's cursor, which lies in this segment. Gathers nothing where the file is damaged. */
  async read(collector: ChunkCollector, maxBytes: number): Promise<void> {
    const end = { cursor: this.#end.cursor, offset: this.#bytes };
    await whileOpen(this.path, async (fd) => {
      let mark = this.#index.before(collector.cursor);
      while (collector.empty) {
        const wanted = collector.cursor - mark.position.cursor + maxBytes + READ_SLACK_BYTES;
        const most = Math.max(0, Math.min(wanted, READ_BYTES, end.offset - mark.offset));
        const buffer = collector.memory(most);
        const bytes = await readFully(fd, buffer.subarray(0, most), mark.offset);
        const next = collector.collect(buffer, { position: mark.position, offset: 0 }, bytes, end.cursor);
        if (next === undefined || (collector.empty && next.offset === 0)) return;
        mark = { position: next.position, offset: mark.offset + next.offset };
        this.#index.readUpTo(mark);
      }
    });
  }

  /** Finds the end of a file that an earlier server wrote: that of its last whole record. */
  async scan(): Promise<void> {
    await whileOpen(this.path, async (fd) => {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, this.#bytes));
      let mark: Mark = { position: this.start, offset: SEGMENT_HEADER_BYTES };
      for (let progress = -1; progress !== 0;) {
        const bytes = await readFully(fd, buffer, mark.offset);
        const end = lastWholeRecord(buffer, bytes, mark.position);
        progress = end.offset;
        mark = { position: end.position, offset: mark.offset + end.offset };
        this.#index.add(mark);
      }
      this.#end = mark.position;
      this.#bytes = mark.offset;
    });
  }

  /** Tells the end of a file that an earlier server wrote. */
  endAt(end: Position): void {
    this.#end = end;
  }

  /** Takes no more records. */
  async seal(): Promise<void> {
    const fd = this.#fd;
    this.#fd = undefined;
    // Some file systems tell only here that they could not keep what they took; reading tells it then.
    if (fd !== undefined) await closeFile(fd).catch(() => undefined);
  }

  /** Deletes the file. Readers that have it open read on. */
  unlink(): void {
    try {
      unlinkSync(this.path);
    } catch {
      // It is gone, or the file system has become read-only: there is nothing left to do.
    }
  }

  #writableFd(): number {
    if (this.#fd === undefined) throw new Error(`${this.path} takes no more records`);
    return this.#fd;
  }

  #withHeader(batch: Batch): readonly Buffer[] {
    return this.#bytes === 0 ? [encodeSegmentHeader(this.start), ...batch.buffers] : batch.buffers;
  }

  #appended(batch: Batch): void {
    const begin = this.#bytes === 0 ? SEGMENT_HEADER_BYTES : this.#bytes;
    for (const { position, offset } of batch.marks) this.#index.add({ position, offset: begin + offset });
    this.#bytes = begin + batch.bytes;
    this.#end = batch.end;
  }
}

function lastWholeRecord(buffer: Buffer, bytes: number, start: Position): Mark {
  const walk = new RecordWalk(buffer, 0, bytes);
  let mark: Mark = { position: start, offset: 0 };
  while (walk.next() && walk.whole) {
    mark = { position: advance(mark.position, walk.stream, walk.length), offset: walk.nextOffset };
  }
  return mark;
}
