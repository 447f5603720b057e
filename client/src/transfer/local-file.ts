import { randomBytes } from "node:crypto";
import { mkdir, open, rename, stat, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exactSeconds } from "./exact-seconds.ts";

/** A file on this machine that appears whole: its bytes lie beside it until all of them are there. */
export class LocalFile {
  readonly #path: string;
  readonly #part: string;
  readonly #handle: FileHandle;
  #position = 0;

  private constructor(path: string, part: string, handle: FileHandle) {
    this.#path = path;
    this.#part = part;
    this.#handle = handle;
  }

  /** Begins to write; directories that are missing on the way are made. */
  static async create(path: string): Promise<LocalFile> {
    const present = await stat(path).catch(() => undefined);
    if (present?.isDirectory() === true) {
      throw Object.assign(new Error(`EISDIR: illegal operation on a directory, open '${path}'`), {
        code: "EISDIR",
        errno: -21,
        syscall: "open",
      });
    }
    await mkdir(dirname(path), { recursive: true });
    const part = join(dirname(path), `.yonder-part-${randomBytes(9).toString("hex")}`);
    return new LocalFile(path, part, await open(part, "wx"));
  }

  async write(data: Uint8Array): Promise<void> {
    for (let begin = 0; begin < data.length;) {
      const { bytesWritten } = await this.#handle.write(data, begin, data.length - begin, this.#position);
      begin += bytesWritten;
      this.#position += bytesWritten;
    }
  }

  /** Forgets what was written, to begin again. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#position = 0;
  }

  /** Puts it in its place. */
  async finish({ mode, mtimeNs }: { mode: number; mtimeNs: bigint }): Promise<void> {
    await this.#handle.chmod(mode);
    const time = exactSeconds(mtimeNs);
    await this.#handle.utimes(time, time);
    await this.#handle.sync();
    await this.#handle.close();
    await rename(this.#part, this.#path);
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await unlink(this.#part).catch(() => {});
  }
}
