import { createHash } from "node:crypto";
import { readdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectories } from "@yonder/transfer";
import { isMissing, withPath } from "./errno.ts";
import type { FileUploadHeader } from "./file-receiver.ts";

/** What is written down of a file's upload, so that the next server can go on with it. */
export interface UploadRecord {
  readonly header: FileUploadHeader;
  /** Where it goes, with links followed. */
  readonly target: Buffer;
  readonly partName: Buffer;
  /** The part's inode: when the target has it, the upload was finished. */
  readonly inode: bigint;
}

/** The records of uploads in a directory, a file each. */
export class UploadRecords {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async write(record: UploadRecord): Promise<void> {
    const path = this.#path(record.header.uploadId);
    const write = (): Promise<void> => writeFile(`${path}.new`, encode(record), { mode: 0o600 });
    await withPath(Buffer.from(this.#directory), async () => {
      await write().catch(async (error: unknown) => {
        if (!isMissing(error)) throw error;
        await makeDirectories(this.#directory, 0o700);
        await write();
      });
      await rename(`${path}.new`, path);
    });
  }

  /** The record of an upload; undefined where there is none, or none that can be read. */
  read(uploadId: string): Promise<UploadRecord | undefined> {
    return readRecord(this.#path(uploadId));
  }

  async remove(uploadId: string): Promise<void> {
    await unlink(this.#path(uploadId)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }

  async areNone(): Promise<boolean> {
    return (await readdir(this.#directory).catch(() => [])).length === 0;
  }

  /** The records that were written before this time. */
  async olderThan(time: number): Promise<UploadRecord[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const old: UploadRecord[] = [];
    for (const name of names) {
      const path = join(this.#directory, name);
      const stats = await stat(path).catch(() => undefined);
      if (stats === undefined || stats.mtimeMs > time) continue;
      const record = name.endsWith(".json") ? await readRecord(path) : undefined;
      if (record === undefined) await unlink(path).catch(() => {});
      else old.push(record);
    }
    return old;
  }

  #path(uploadId: string): string {
    return join(this.#directory, `${createHash("sha256").update(uploadId).digest("hex").slice(0, 40)}.json`);
  }
}

async function readRecord(path: string): Promise<UploadRecord | undefined> {
  try {
    return decode(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

function encode({ header, target, partName, inode }: UploadRecord): string {
  return JSON.stringify({
    header: { ...header, path: header.path.toString("base64") },
    target: target.toString("base64"),
    partName: partName.toString("base64"),
    inode: String(inode),
  });
}

function decode(text: string): UploadRecord {
  const { header, target, partName, inode } = JSON.parse(text) as {
    header: Omit<FileUploadHeader, "path"> & { path: string };
    target: string;
    partName: string;
    inode: string;
  };
  return {
    // JSON leaves out what is undefined, and headers are compared as a whole.
    header: {
      ...header,
      sizeBytes: header.sizeBytes,
      mode: header.mode,
      modifyTime: header.modifyTime,
      path: Buffer.from(header.path, "base64"),
    },
    target: Buffer.from(target, "base64"),
    partName: Buffer.from(partName, "base64"),
    inode: BigInt(inode),
  };
}
