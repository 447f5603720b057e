import type { FileHandle } from "node:fs/promises";

/** Writes all of the bytes at a position; the kernel may take fewer at a time. */
export async function writeAll(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let begin = 0; begin < data.length;) {
    const { bytesWritten } = await handle.write(data, begin, data.length - begin, position + begin);
    begin += bytesWritten;
  }
}
