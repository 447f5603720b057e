import type { FileHandle } from "node:fs/promises";

/** Enough that what a message costs beside its bytes is little, and far below what clients take by default. */
export const chunkBytes = 512 * 1024;

/**
 * Reads a file from `begin` up to `end`, or up to where it ends, in chunks. One chunk is read ahead, so that the disk and
 * the line work at once; no more, so that a slow reader costs no memory.
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
  const lent: Buffer[] = [];
  const memory = (length: number): Buffer => {
    if (!lend) return Buffer.allocUnsafeSlow(length);
    // One is at the reader's, the other is read into.
    turn = 1 - turn;
    return (lent[turn] ??= Buffer.allocUnsafeSlow(Math.min(chunkBytes, end - begin))).subarray(0, length);
  };
  const next = (): Promise<Buffer> => fill(handle, position, memory(Math.min(chunkBytes, end - position)));
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
export function readChunk(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  // Not from the pool, which the slices of many readers would keep alive.
  return fill(handle, position, Buffer.allocUnsafeSlow(length));
}

async function fill(handle: FileHandle, position: number, buffer: Buffer): Promise<Buffer> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === buffer.length ? buffer : buffer.subarray(0, filled);
}
