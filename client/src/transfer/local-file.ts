import { createHash, randomBytes } from "node:crypto";
import { open, readdir, realpath, rename, stat, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { makeDirectories } from "@yonder/transfer";
import { exactSeconds } from "./exact-seconds.ts";
import { isAbandoned, partOwner, partPrefix, removeAbandoned } from "./parts.ts";

/**
 * A file on this machine that appears whole: its bytes lie beside it until all of them are there. Of a link, the file that
 * it leads to is replaced.
 */
export class LocalFile {
  readonly #path: string;
  readonly #part: string;
  readonly #handle: FileHandle;
  #position = 0;

  private constructor(path: string, part: string, handle: FileHandle, position = 0) {
    this.#path = path;
    this.#part = part;
    this.#handle = handle;
    this.#position = position;
  }

  /** How many bytes are there. */
  get position(): number {
    return this.#position;
  }

  /** Begins to write; directories that are missing on the way are made. */
  static async create(path: string): Promise<LocalFile> {
    const target = await prepare(path);
    const part = join(dirname(target), `${partPrefix}${randomBytes(9).toString("hex")}${partOwner()}`);
    return new LocalFile(target, part, await open(part, "wx"));
  }

  /**
   * Goes on with what an earlier process left of a file in this state, or begins. Parts of other states that nobody
   * writes any more are removed. A part's name tells the process that writes it, so that no two write one.
   */
  static async resume(path: string, etag: string, size: number): Promise<LocalFile> {
    const target = await prepare(path);
    const directory = dirname(target);
    const prefix = `${partPrefix}${hash(basename(target))}-`;
    const stem = `${prefix}${hash(etag)}~`;
    const own = join(directory, `${prefix}${hash(etag)}${partOwner()}`);
    if (held.has(own)) return LocalFile.create(target);
    held.add(own);
    try {
      await removeAbandoned(directory);
      for (const name of await readdir(directory)) {
        if (!name.startsWith(prefix)) continue;
        const part = join(directory, name);
        const isOwn = name.endsWith(partOwner());
        if (isOwn ? held.has(part) : !(await isAbandoned(directory, name))) continue;
        // Of two that take it up, one finds it gone.
        await (name.startsWith(stem) ? rename(part, own) : unlink(part)).catch(() => {});
      }
      await (await open(own, "a")).close();
      const handle = await open(own, "r+");
      // Whoever cannot ask for this process sees by the time that somebody has it.
      await handle.utimes(new Date(), new Date()).catch(() => {});
      const file = new LocalFile(target, own, handle, (await handle.stat()).size);
      if (file.position > size) await file.restart();
      return file;
    } catch (error) {
      held.delete(own);
      throw error;
    }
  }

  /** Writes all of them in one go; the kernel may take fewer bytes, and then takes the rest piece by piece. */
  async write(pieces: readonly Uint8Array[]): Promise<void> {
    const { bytesWritten } = await this.#handle.writev(pieces, this.#position);
    this.#position += bytesWritten;
    let written = bytesWritten;
    for (const piece of pieces) {
      await this.#writeFrom(piece, Math.min(written, piece.length));
      written = Math.max(0, written - piece.length);
    }
  }

  async #writeFrom(piece: Uint8Array, from: number): Promise<void> {
    for (let begin = from; begin < piece.length;) {
      const { bytesWritten } = await this.#handle.write(piece, begin, piece.length - begin, this.#position);
      begin += bytesWritten;
      this.#position += bytesWritten;
    }
  }

  /** What was written up to an offset, in pieces that are good until the next one is asked for. */
  async *read(end: number): AsyncGenerator<Uint8Array> {
    const memory = Buffer.allocUnsafe(1024 * 1024);
    for (let position = 0; position < end;) {
      const { bytesRead } = await this.#handle.read(memory, 0, Math.min(memory.length, end - position), position);
      if (bytesRead === 0) return;
      yield memory.subarray(0, bytesRead);
      position += bytesRead;
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
    held.delete(this.#part);
  }

  /** Leaves what was written, for whoever goes on with it. */
  async keep(): Promise<void> {
    await this.#handle.close().catch(() => {});
    held.delete(this.#part);
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await unlink(this.#part).catch(() => {});
    held.delete(this.#part);
  }
}

/** Finds the file that a path means, there or not, and makes the directory that it lies in. */
async function prepare(path: string): Promise<string> {
  const target = await realpath(path).catch(() => path);
  const present = await stat(target).catch(() => undefined);
  if (present?.isDirectory() === true) throw openError("EISDIR", -21, "illegal operation on a directory", path);
  // A rename would put a file in the place of a device or pipe.
  if (present?.isFile() === false) throw openError("EINVAL", -22, "not a regular file (give it as a stream)", path);
  await makeDirectories(dirname(target));
  return target;
}

function openError(code: string, errno: number, what: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${what}, open '${path}'`), { code, errno, syscall: "open" });
}

/** The parts that this process writes to go on with them later. */
const held = new Set<string>();

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}
