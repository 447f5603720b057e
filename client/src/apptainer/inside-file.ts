import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

const keptLines = 20;
const keptBytes = 16_384;

/** Opens a file that commands of an instance may write to: what they have put in its place is not followed or waited for. */
export function openInside(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** The last lines of such a log; none where there is none. */
export async function lastLinesOf(path: string): Promise<readonly string[]> {
  const text = await endOf(path);
  return text.trimEnd().split("\n").filter(Boolean).slice(-keptLines);
}

/** The end of such a file; empty where there is none. */
export async function endOf(path: string): Promise<string> {
  try {
    const file = await openInside(path);
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.min(size, keptBytes));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}
