import { statfs } from "node:fs/promises";

/** The room on the file system that a directory is on. */
export interface DiskSpace {
  readonly directory: Buffer;
  readonly totalBytes: bigint;
  /** What this process's user may still write. */
  readonly availableBytes: bigint;
  /** 0 where the file system does not count files. */
  readonly totalFiles: bigint;
  readonly availableFiles: bigint;
  /** Why nothing is known of it; empty where it is. */
  readonly problem: string;
}

/** Measures it. Never rejects. */
export async function diskSpace(directory: Buffer): Promise<DiskSpace> {
  try {
    const { bsize, blocks, bavail, files, ffree } = await statfs(directory, { bigint: true });
    return {
      directory,
      totalBytes: blocks * bsize,
      availableBytes: bavail * bsize,
      totalFiles: files,
      availableFiles: ffree,
      problem: "",
    };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { directory, totalBytes: 0n, availableBytes: 0n, totalFiles: 0n, availableFiles: 0n, problem };
  }
}
