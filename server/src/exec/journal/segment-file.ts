import { close, closeSync, constants, openSync, read, unlinkSync, write, writev } from "node:fs";
import { promisify } from "node:util";
import type { Position } from "./record.ts";

/** What a segment needs of the file system, on plain descriptors: they cost less than file handles, and never close themselves. */
export const closeFile = promisify(close);
const readAsync = promisify(read);
const writeAsync = promisify(write);
const writevAsync = promisify(writev);

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/** Before the records: what the file is, then where it begins: the cursor and the offset of either stream. */
export const SEGMENT_HEADER_BYTES = 32;
const MAGIC = Buffer.from("YONDERJ1", "latin1");

export function encodeSegmentHeader(start: Position): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeBigUInt64LE(BigInt(start.cursor), 8);
  header.writeBigUInt64LE(BigInt(start.stdoutBytes), 16);
  header.writeBigUInt64LE(BigInt(start.cursor - start.stdoutBytes), 24);
  return header;
}

export function decodeSegmentHeader(header: Buffer): Position | undefined {
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const cursor = Number(header.readBigUInt64LE(8));
  const stdoutBytes = Number(header.readBigUInt64LE(16));
  const stderrBytes = Number(header.readBigUInt64LE(24));
  return Number.isSafeInteger(cursor) && cursor === stdoutBytes + stderrBytes ? { cursor, stdoutBytes } : undefined;
}

export function createForWriting(path: string): number {
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    // Names are given once, so this is what an exec left that nobody remembers.
    unlinkSync(path);
    return openSync(path, flags, 0o600);
  }
}

/** Opens, hands out the descriptor and closes. */
export async function whileOpen<T>(path: string, use: (fd: number) => Promise<T>): Promise<T> {
  // At once and not on a thread: that costs some microseconds for a file that was used lately.
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW);
  try {
    return await use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Fills the buffer from a position on; returns how many bytes there were. */
export async function readFully(fd: number, buffer: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await readAsync(fd, buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

export async function writeFully(fd: number, buffers: readonly Buffer[], position: number): Promise<void> {
  let rest = buffers;
  let at = position;
  while (rest.length > 0) {
    const [first] = rest;
    const { bytesWritten } =
      rest.length === 1 && first !== undefined
        ? await writeAsync(fd, first, 0, first.length, at)
        : await writevAsync(fd, rest, at);
    at += bytesWritten;
    rest = withoutFirstBytes(rest, bytesWritten);
  }
}

/** What is left of the buffers once so many bytes were written. */
export function withoutFirstBytes(buffers: readonly Buffer[], bytes: number): readonly Buffer[] {
  let left = bytes;
  for (const [i, buffer] of buffers.entries()) {
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(i + 1)];
    left -= buffer.length;
  }
  return [];
}
