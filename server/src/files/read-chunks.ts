import type { FileHandle } from "node:fs/promises";
import { readCached } from "./read-cached.ts";

/** Enough that what a message costs beside its bytes is little, and far below what clients take by default. */
export const chunkBytes = 512 * 1024;

/**
 * Reads a file from `begin` up to `end`, or up to where it ends, in chunks. What lies in the kernel's memory is read when
 * it is asked for. Of what does not, one chunk is read ahead, so that the disk and the line work at once; no more, so that
 * a slow reader costs no memory.
 *
 * The chunks belong to the reader, unless he lends the memory: then each is good only until the next one is asked for.
 * That spares gigabytes of garbage, and suits a reader that serializes a chunk before he asks for more.
 */
export async function* readChunks(
  handle: FileHandle,
  begin: number,
  end: number,
  { lend = false } = {},
): AsyncGenerator<Buffer> {
  let position = begin;
  let turn = 0;
  let isCached = false;
  const lent: Buffer[] = [];
  const memory = (length: number): Buffer => {
    if (!lend) return Buffer.allocUnsafeSlow(length);
    // One is at the reader's, the other is read into.
    if (!isCached) turn = 1 - turn;
    return (lent[turn] ??= Buffer.allocUnsafeSlow(Math.min(chunkBytes, end - begin))).subarray(0, length);
  };
  const next = (): Buffer | Promise<Buffer> => {
    const buffer = memory(Math.min(chunkBytes, end - position));
    const cached = readCached(handle, buffer, position);
    isCached = cached === buffer.length;
    return isCached ? buffer : fill(handle, position, buffer, cached);
  };
  let ahead: Promise<Buffer> | undefined;
  try {
    while (position < end) {
      const chunk = await (ahead ?? next());
      ahead = undefined;
      if (chunk.length === 0) return;
      position += chunk.length;
      if (!isCached && position < end) {
        ahead = Promise.resolve(next());
        ahead.catch(() => {});
      }
      yield chunk;
    }
  } finally {
    // The handle may be closed only once nothing is read from it.
    await ahead?.catch(() => {});
  }
}

/** Reads up to `length` bytes; fewer only where the file ends. */
export function readChunk(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  // Not from the pool, which the slices of many readers would keep alive.
  return fill(handle, position, Buffer.allocUnsafeSlow(length), 0);
}

async function fill(handle: FileHandle, position: number, buffer: Buffer, filled: number): Promise<Buffer> {
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === buffer.length ? buffer : buffer.subarray(0, filled);
}
