import type { OutputStream } from "../spec.ts";
import type { ChunkCollector, Mark } from "./chunks.ts";
import { advance, headerBytes, MAX_RECORD_BYTES, type Position, WIDE_HEADER_BYTES, writeHeader } from "./record.ts";
import { RecordMemory } from "./record-memory.ts";

/** Records from this size on stand alone; smaller ones are packed, so that each costs a header and no object. */
const LARGE_BYTES = 4 * 1024;
/** A pack is searched record by record, so it is small. The first one is smaller still: most commands print a line or two. */
const PACK_BYTES = 16 * 1024;
const FIRST_PACK_BYTES = 1024;

/** A row of records: a pack of small ones, or one large record. */
interface Block {
  readonly start: Position;
  /** What holds them, encoded: a pack has room for more. */
  memory: Buffer;
  bytes: number;
  /** The stream of a large record. */
  readonly large: OutputStream | undefined;
  /** How many of its bytes are in the file. */
  written: number;
}

/** Records that go to the file in one write. */
export interface Batch {
  readonly buffers: readonly Buffer[];
  readonly bytes: number;
  readonly start: Position;
  readonly end: Position;
  /** Records in it, a few KiB apart, by their offset in the batch. */
  readonly marks: readonly Mark[];
  readonly blocks: readonly { readonly block: Block; readonly written: number }[];
}

/** The newest output in memory, in its encoded form, and which of it is in the file already. */
export class MemoryTail {
  #blocks: Block[] = [];
  readonly #large = new RecordMemory();
  /** The first block that may hold bytes that are not in the file. */
  #unwritten = 0;
  #bytes = 0;
  #unwrittenBytes = 0;
  #end: Position;
  #written: Position;

  constructor(start: Position) {
    this.#end = start;
    this.#written = start;
  }

  /** Where the oldest byte in memory stands; the end if there is none. */
  get begin(): Position {
    return this.#blocks[0]?.start ?? this.#end;
  }

  get end(): Position {
    return this.#end;
  }

  /** Up to where everything was written, or dropped unwritten. */
  get written(): Position {
    return this.#written;
  }

  /** Encoded bytes, headers included. */
  get bytes(): number {
    return this.#bytes;
  }

  get unwrittenBytes(): number {
    return this.#unwrittenBytes;
  }

  /** Copies the data: its memory is used again by whoever read it. */
  push(stream: OutputStream, data: Buffer): void {
    for (let begin = 0; begin < data.length; begin += MAX_RECORD_BYTES) {
      this.#pushRecord(stream, data.subarray(begin, begin + MAX_RECORD_BYTES));
    }
  }

  /** Gathers from the collector's cursor, which is at least `begin`, up to `endCursor`. */
  read(collector: ChunkCollector, maxBytes: number, endCursor: number): void {
    collector.memory(Math.min(maxBytes, endCursor - collector.cursor));
    for (let i = this.#find(collector.cursor); i < this.#blocks.length; i++) {
      const block = this.#blocks[i];
      if (block === undefined || collector.full || block.start.cursor >= endCursor) return;
      if (block.large === undefined) {
        collector.collect(block.memory, { position: block.start, offset: 0 }, block.bytes, endCursor);
      } else {
        collector.take(block.start, block.large, block.memory, WIDE_HEADER_BYTES, block.bytes);
      }
    }
  }

  /** What is to be written next: whole blocks until `minBytes` are reached or nothing is left. */
  nextBatch(minBytes: number): Batch | undefined {
    const buffers: Buffer[] = [];
    const marks: Mark[] = [];
    const blocks: Batch["blocks"][number][] = [];
    let bytes = 0;
    let i = this.#unwritten;
    for (; i < this.#blocks.length && bytes < minBytes; i++) {
      const block = this.#blocks[i];
      if (block === undefined || block.written === block.bytes) continue;
      if (block.written === 0) marks.push({ position: block.start, offset: bytes });
      buffers.push(block.memory.subarray(block.written, block.bytes));
      bytes += block.bytes - block.written;
      blocks.push({ block, written: block.bytes });
    }
    if (bytes === 0) return undefined;
    return { buffers, bytes, start: this.#written, end: this.#blocks[i]?.start ?? this.#end, marks, blocks };
  }

  markWritten(batch: Batch): void {
    for (const { block, written } of batch.blocks) block.written = written;
    this.#unwrittenBytes -= batch.bytes;
    this.#written = batch.end;
    // The newest block may be a pack that grows.
    while (this.#unwritten < this.#blocks.length - 1 && this.#isWritten(this.#unwritten)) this.#unwritten++;
  }

  /** Drops the oldest blocks that are in the file until at most `maxBytes` are left. */
  trim(maxBytes: number): void {
    while (this.#bytes > maxBytes && this.#isWritten(0)) this.#dropOldest();
  }

  /** Drops the oldest blocks, in the file or not, as long as `keepBytes` are left. */
  trimUnwritten(keepBytes: number): void {
    for (;;) {
      const oldest = this.#blocks[0];
      if (oldest === undefined || this.#bytes - oldest.bytes < keepBytes) return;
      this.#dropOldest();
    }
  }

  clear(): void {
    while (this.#blocks.length > 0) this.#dropOldest();
  }

  /** Holds no more memory than what is in it: nothing more comes. */
  compact(): void {
    for (const block of this.#blocks) {
      if (block.large === undefined) continue;
      const exact = Buffer.allocUnsafeSlow(block.bytes);
      block.memory.copy(exact);
      this.#large.giveBack(block.memory);
      block.memory = exact;
    }
    this.#large.clear();
  }

  /** Where `begin` comes to stand at most if `more` encoded bytes come and `trimUnwritten` follows. */
  beginAfter(more: number, keepBytes: number): number {
    let bytes = this.#bytes + more;
    for (const block of this.#blocks) {
      bytes -= block.bytes;
      if (bytes < keepBytes) return block.start.cursor;
    }
    return this.#end.cursor + Math.max(0, more - keepBytes);
  }

  #pushRecord(stream: OutputStream, data: Buffer): void {
    if (data.length >= LARGE_BYTES) {
      const memory = this.#large.take(WIDE_HEADER_BYTES + data.length);
      data.copy(memory, writeHeader(memory, 0, stream, data.length));
      this.#blocks.push({ start: this.#end, memory, bytes: memory.length, large: stream, written: 0 });
      this.#grow(memory.length);
    } else {
      const bytes = headerBytes(data.length) + data.length;
      const pack = this.#packWithRoom(bytes);
      const dataOffset = writeHeader(pack.memory, pack.bytes, stream, data.length);
      pack.bytes = dataOffset + data.copy(pack.memory, dataOffset);
      this.#grow(bytes);
    }
    this.#end = advance(this.#end, stream, data.length);
  }

  #grow(bytes: number): void {
    this.#bytes += bytes;
    this.#unwrittenBytes += bytes;
  }

  #packWithRoom(bytes: number): Block {
    const newest = this.#blocks.at(-1);
    if (newest !== undefined && newest.large === undefined && newest.bytes + bytes <= newest.memory.length) {
      return newest;
    }
    const first = newest === undefined && bytes <= FIRST_PACK_BYTES;
    const memory = Buffer.allocUnsafeSlow(first ? FIRST_PACK_BYTES : PACK_BYTES);
    const pack: Block = { start: this.#end, memory, bytes: 0, large: undefined, written: 0 };
    this.#blocks.push(pack);
    return pack;
  }

  #dropOldest(): void {
    const oldest = this.#blocks.shift();
    if (oldest === undefined) return;
    this.#bytes -= oldest.bytes;
    this.#unwrittenBytes -= oldest.bytes - oldest.written;
    if (oldest.large !== undefined) this.#large.giveBack(oldest.memory);
    if (this.#unwritten > 0) this.#unwritten--;
    if (this.#written.cursor < this.begin.cursor) this.#written = this.begin;
  }

  #isWritten(index: number): boolean {
    const block = this.#blocks[index];
    return block !== undefined && block.written === block.bytes;
  }

  /** The block that holds the cursor; the newest if none does. */
  #find(cursor: number): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#blocks[middle]?.start.cursor ?? Infinity) <= cursor) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
