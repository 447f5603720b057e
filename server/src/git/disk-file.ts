import { constants, type BigIntStats } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { fileError, isMissing } from "../files/errno.ts";
import { joinPath, pathText } from "../files/path-bytes.ts";
import { FailedPrecondition } from "../util/errors.ts";
import type { LocatedFile } from "./locate-file.ts";

export const REGULAR = 0o100644;
const EXECUTABLE = 0o100755;
export const LINK = 0o120000;
export const SUBMODULE = 0o160000;

/** A file as it lies on disk; a link's content is its target. */
export interface DiskFile {
  readonly mode: number;
  readonly sizeBytes: number;
  /** Changes whenever the file does. */
  readonly version: string;
  read(maxBytes: number): Promise<Buffer>;
}

/** What lies at the path: a file, a directory or nothing. Throws for what has no content, such as a pipe. */
export async function diskFile({ directory, path }: LocatedFile): Promise<DiskFile | "directory" | undefined> {
  const at = joinPath(Buffer.from(directory.cwd), path);
  let stats: BigIntStats;
  try {
    stats = await lstat(at, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileError(error, path);
  }
  const version = [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs, stats.mode].join(":");
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) {
    const target = await readlink(at, { encoding: "buffer" });
    return { mode: LINK, sizeBytes: target.length, version, read: () => Promise.resolve(target) };
  }
  if (!stats.isFile()) {
    const subject = pathText(path);
    throw new FailedPrecondition("NOT_A_REGULAR_FILE", `A pipe, socket or device has no diff: ${subject}`, { subject });
  }
  return {
    mode: (stats.mode & 0o100n) === 0n ? REGULAR : EXECUTABLE,
    sizeBytes: Number(stats.size),
    version,
    read: (maxBytes) => readRegular(at, path, maxBytes),
  };
}

async function readRegular(at: Buffer, path: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    // Not blocking: a pipe may have taken the file's place.
    const handle = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.allocUnsafe(Math.min(size, maxBytes));
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, path);
  }
}
