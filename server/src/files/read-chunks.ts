import type { FileHandle } from "node:fs/promises";

export const chunkBytes = 256 * 1024;

/**
 * Reads a file from `begin` up to `end`, or up to where it ends, in chunks that belong to the reader. One chunk is read
 * ahead, so that the disk and the line work at once; no more, so that a slow reader costs no memory.
 */
export async function* readChunks(handle: FileHandle, begin: number, end: number): AsyncGenerator<Buffer> {
  let position = begin;
  const next = (): Promise<Buffer> => readChunk(handle, position, Math.min(chunkBytes, end - position));
  let pending = position < end ? next() : undefined;
  try {
    while (pending !== undefined) {
      const chunk = await pending;
      pending = undefined;
      if (chunk.length === 0) return;
      position += chunk.length;
      if (position < end) pending = next();
      pending?.catch(() => {});
      yield chunk;
    }
  } finally {
    // The handle may be closed only once nothing is read from it.
    await pending?.catch(() => {});
  }
}

/** Reads up to `length` bytes; fewer only where the file ends. */
export async function readChunk(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  // Not from the pool, which the slices of many readers would keep alive.
  const buffer = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === length ? buffer : buffer.subarray(0, filled);
}
