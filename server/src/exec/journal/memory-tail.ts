import type { OutputStream } from "../spec.ts";
import type { ChunkCollector, Mark } from "./chunks.ts";
import { advance, headerBytes, MAX_RECORD_BYTES, type Position, WIDE_HEADER_BYTES, writeHeader } from "./record.ts";

/** Chunks from this size on are kept and written as they came; smaller ones are packed, so that each costs a header and no object. */
const LARGE_BYTES = 4 * 1024;
/** A pack is searched record by record, so it is small. The first one is smaller still: most commands print a line or two. */
const PACK_BYTES = 16 * 1024;
const FIRST_PACK_BYTES = 1024;

/** A row of records: a pack of small ones, or the header and the data of one large record. */
interface Block {
  readonly start: Position;
  readonly head: Buffer;
  headBytes: number;
  readonly large: { readonly stream: OutputStream; readonly data: Buffer } | undefined;
  /** How many of its encoded bytes are in the file. */
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

  push(stream: OutputStream, data: Buffer): void {
    // A small view of a large buffer must not keep all of that in memory.
    const wasteful = data.buffer.byteLength > 2 * data.length;
    const owned = wasteful && data.length >= LARGE_BYTES ? Buffer.from(data) : data;
    for (let begin = 0; begin < owned.length; begin += MAX_RECORD_BYTES) {
      this.#pushRecord(stream, owned.subarray(begin, begin + MAX_RECORD_BYTES));
    }
  }

  /** Gathers from the collector's cursor, which is at least `begin`, up to `endCursor`. */
  read(collector: ChunkCollector, endCursor: number): void {
    for (let i = this.#find(collector.cursor); i < this.#blocks.length; i++) {
      const block = this.#blocks[i];
      if (block === undefined || collector.full || block.start.cursor >= endCursor) return;
      if (block.large === undefined) {
        collector.collect(block.head, { position: block.start, offset: 0 }, block.headBytes, endCursor);
      } else {
        collector.take(block.start, block.large.stream, block.large.data, 0, block.large.data.length);
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
      if (block === undefined || block.written === encodedLength(block)) continue;
      if (block.written === 0) marks.push({ position: block.start, offset: bytes });
      if (block.written < block.headBytes) buffers.push(block.head.subarray(block.written, block.headBytes));
      if (block.large !== undefined) buffers.push(block.large.data);
      bytes += encodedLength(block) - block.written;
      blocks.push({ block, written: encodedLength(block) });
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
      if (oldest === undefined || this.#bytes - encodedLength(oldest) < keepBytes) return;
      this.#dropOldest();
    }
  }

  clear(): void {
    while (this.#blocks.length > 0) this.#dropOldest();
  }

  /** Where `begin` comes to stand at most if `more` encoded bytes come and `trimUnwritten` follows. */
  beginAfter(more: number, keepBytes: number): number {
    let bytes = this.#bytes + more;
    for (const block of this.#blocks) {
      bytes -= encodedLength(block);
      if (bytes < keepBytes) return block.start.cursor;
    }
    return this.#end.cursor + Math.max(0, more - keepBytes);
  }

  #pushRecord(stream: OutputStream, data: Buffer): void {
    if (data.length >= LARGE_BYTES) {
      const head = Buffer.allocUnsafe(WIDE_HEADER_BYTES);
      const headBytes = writeHeader(head, 0, stream, data.length);
      this.#blocks.push({ start: this.#end, head, headBytes, large: { stream, data }, written: 0 });
      this.#grow(headBytes + data.length);
    } else {
      const bytes = headerBytes(data.length) + data.length;
      const pack = this.#packWithRoom(bytes);
      const dataOffset = writeHeader(pack.head, pack.headBytes, stream, data.length);
      pack.headBytes = dataOffset + data.copy(pack.head, dataOffset);
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
    if (newest !== undefined && newest.large === undefined && newest.headBytes + bytes <= newest.head.length) {
      return newest;
    }
    const first = newest === undefined && bytes <= FIRST_PACK_BYTES;
    const head = Buffer.allocUnsafeSlow(first ? FIRST_PACK_BYTES : PACK_BYTES);
    const pack: Block = { start: this.#end, head, headBytes: 0, large: undefined, written: 0 };
    this.#blocks.push(pack);
    return pack;
  }

  #dropOldest(): void {
    const oldest = this.#blocks.shift();
    if (oldest === undefined) return;
    this.#bytes -= encodedLength(oldest);
    this.#unwrittenBytes -= encodedLength(oldest) - oldest.written;
    if (this.#unwritten > 0) this.#unwritten--;
    if (this.#written.cursor < this.begin.cursor) this.#written = this.begin;
  }

  #isWritten(index: number): boolean {
    const block = this.#blocks[index];
    return block !== undefined && block.written === encodedLength(block);
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

function encodedLength(block: Block): number {
  return block.headBytes + (block.large?.data.length ?? 0);
}
