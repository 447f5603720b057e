import type { OutputStream } from "../spec.ts";

/**
 * How output lies in a segment file and in memory: one record after the other, each a header and its bytes.
 *
 * A header is one byte for up to 63 bytes, so that a program that prints byte by byte costs two bytes each and not
 * five; otherwise four bytes. Little endian: bit 0 says whether it is a wide one, bit 1 the stream, the rest the length.
 * No record is empty, so that a tail of zeros, as a power cut may leave it, is no record.
 */
export const MAX_RECORD_BYTES = 64 * 1024;
export const WIDE_HEADER_BYTES = 4;
const MAX_SHORT_BYTES = 63;

/** A place in the output: how many bytes came before it, on both streams and on standard output. */
export interface Position {
  readonly cursor: number;
  readonly stdoutBytes: number;
}

export const START: Position = { cursor: 0, stdoutBytes: 0 };

export function advance(from: Position, stream: OutputStream, bytes: number): Position {
  return {
    cursor: from.cursor + bytes,
    stdoutBytes: from.stdoutBytes + (stream === "stdout" ? bytes : 0),
  };
}

export function headerBytes(length: number): number {
  return length <= MAX_SHORT_BYTES ? 1 : WIDE_HEADER_BYTES;
}

/** The most that `bytes` of one append take up as records. */
export function encodedBytes(bytes: number): number {
  return bytes + Math.ceil(bytes / MAX_RECORD_BYTES) * WIDE_HEADER_BYTES;
}

/** Writes a header and returns where its data goes. */
export function writeHeader(target: Buffer, offset: number, stream: OutputStream, length: number): number {
  const value = length * 4 + (stream === "stderr" ? 2 : 0);
  return length <= MAX_SHORT_BYTES ? target.writeUInt8(value, offset) : target.writeUInt32LE(value + 1, offset);
}

/** Walks the records of a buffer without an object for each. */
export class RecordWalk {
  readonly buffer: Buffer;
  readonly #end: number;
  /** Of the record that `next` found: where its header, its data and the next record begin. */
  offset: number;
  dataOffset: number;
  nextOffset: number;
  stream: OutputStream = "stdout";
  length = 0;
  /** Whether `next` found something that is no record, rather than the end. */
  damaged = false;

  constructor(buffer: Buffer, offset: number, end: number) {
    this.buffer = buffer;
    this.offset = offset;
    this.dataOffset = offset;
    this.nextOffset = offset;
    this.#end = end;
  }

  /** Goes to the next record whose header is whole; its data may reach past the end of the buffer. */
  next(): boolean {
    this.offset = this.nextOffset;
    if (this.offset >= this.#end) return false;
    const first = this.buffer[this.offset] ?? 0;
    let value = first;
    let size = 1;
    if ((first & 1) === 1) {
      size = WIDE_HEADER_BYTES;
      if (this.offset + size > this.#end) return false;
      value = this.buffer.readUInt32LE(this.offset);
    }
    this.length = value >>> 2;
    if (this.length === 0 || this.length > MAX_RECORD_BYTES) {
      this.damaged = true;
      return false;
    }
    this.stream = (value & 2) === 0 ? "stdout" : "stderr";
    this.dataOffset = this.offset + size;
    this.nextOffset = this.dataOffset + this.length;
    return true;
  }

  /** Whether the record's data lies in the buffer to its last byte. */
  get whole(): boolean {
    return this.nextOffset <= this.#end;
  }
}
