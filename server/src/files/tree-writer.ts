import { constants } from "node:fs";
import { lchown, link, lutimes, open, rename, symlink, unlink } from "node:fs/promises";
import type { QuickDisk } from "@yonder/transfer";
import type { TreeReport } from "../util/errors.ts";
import { openOrMake } from "./directory.ts";
import type { Directory } from "./directory.ts";
import { fileError, isMissing, systemCode } from "./errno.ts";
import { exactSeconds, setModifyTime } from "./modify-time.ts";
import { makePartDirectory, removePartDirectory } from "./part-file.ts";
import { joinPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import { syncTree } from "./sync-tree.ts";
import { lendsRights, modeFor, refused } from "./tree-entry.ts";
import type { Owner, TreeEntry } from "./tree-entry.ts";
import { emptyReport } from "./tree-report.ts";
import { writeAll } from "./write-all.ts";
import { isMasked, writeNew, writeSmall } from "./write-small.ts";

export interface TreeWriterOptions {
  /** Held by the writer from now on. */
  readonly root: Directory;
  /** The disk that it lies on. */
  readonly disk: QuickDisk;
  /** The directory in the root for what is not whole yet. */
  readonly partName: PathBytes;
  /** Give what is written to the owners of its entries, where that is allowed. */
  readonly keepOwners?: boolean;
}

/**
 * Writes the entries of a tree below a directory. Each directory on the way is opened below the one before without
 * following links, so an entry gets nowhere through a link, and each file appears whole by a rename. Small files are
 * written at once, or, where the disk may keep us waiting, several at a time.
 */
export class TreeWriter {
  readonly report: TreeReport = emptyReport();
  readonly #root: Directory;
  readonly #disk: QuickDisk;
  readonly #partName: PathBytes;
  readonly #keepOwners: boolean;
  #parts: Promise<Directory> | undefined;
  #partCount = 0;
  #directories = new Map<string, Directory>();
  /** The small files that are being written. */
  readonly #pending = new Set<Promise<void>>();
  readonly #pendingNames = new Set<string>();
  /** Modes and times of directories, set at the end: what is written in them changes them. */
  readonly #dressLater: TreeEntry[] = [];
  #failure: { error: unknown } | undefined;

  constructor({ root, disk, partName, keepOwners = false }: TreeWriterOptions) {
    this.#root = root;
    this.#disk = disk;
    this.#partName = partName;
    this.#keepOwners = keepOwners;
  }

  async write(entry: TreeEntry, content: AsyncIterable<Buffer>): Promise<void> {
    this.#throwFailure();
    await this.#boundDirectories();
    const name = entry.names.at(-1);
    if (entry.type === "directory") return this.#makeDirectory(entry);
    if (name === undefined) throw refused(entry.name, "is the tree's own");
    const key = keyOf(entry.names);
    if (entry.type !== "file" || entry.size > smallBytes || this.#pendingNames.has(key)) await this.drain();
    const directory = await this.#directory(entry.names.slice(0, -1), entry);
    const at = joinPath(directory.at, name);
    if (entry.type === "symlink")
      return this.#link(
        at,
        () => this.report.symlinks++,
        async (part) => {
          await symlink(entry.target, part);
          await this.#give(entry, ({ uid, gid }) => lchown(part, uid, gid));
          const time = exactSeconds(entry.modifyTime);
          await lutimes(part, time, time);
        },
      );
    if (entry.type === "hardlink") return this.#hardLink(entry, at);
    if (entry.size > smallBytes) return this.#writeFile(entry, at, content);
    // It is in the parser's memory anyway; the parser goes on while it is written.
    const data: Buffer[] = [];
    const pieces = content[Symbol.asyncIterator]();
    for (let bytes = 0; ;) {
      const { value: piece, done } = await pieces.next();
      if (done === true) break;
      data.push(piece);
      bytes += piece.length;
      if (bytes <= smallBytes) continue;
      // It grows, or the kernel makes it up, and its size says nothing: it may have no end.
      await this.drain();
      return this.#writeFile(entry, at, followedBy(data, pieces));
    }
    if (entry.size <= quickBytes && !lendsRights(entry) && this.#disk.isQuick)
      return this.#writeQuickly(entry, at, data);
    if (this.#pending.size >= maxPending) await Promise.race(this.#pending);
    this.#throwFailure();
    this.#pendingNames.add(key);
    const written: Promise<void> = this.#writeFile(entry, at, data)
      .catch((error: unknown) => {
        this.#failure ??= { error: fileError(error, entry.name) };
      })
      .finally(() => {
        this.#pending.delete(written);
        this.#pendingNames.delete(key);
      });
    this.#pending.add(written);
  }

  /** Waits until what is being written is there; throws where some of it failed. */
  async drain(): Promise<void> {
    await this.settle();
    this.#throwFailure();
  }

  /** Waits until nothing is being written. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Dresses the directories, with `sync` makes all of it last, and lets go. */
  async finish({ sync }: { sync: boolean }): Promise<void> {
    await this.drain();
    for (const entry of this.#dressLater.toReversed()) {
      await this.#boundDirectories();
      const directory = await this.#directory(entry.names, entry);
      const handle = await open(directory.at, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await this.#give(entry, ({ uid, gid }) => handle.chown(uid, gid));
        await handle.chmod(entry.mode & 0o7777);
        await setModifyTime(handle, entry.modifyTime);
      } finally {
        await handle.close();
      }
    }
    // The part directory's going changes the top's time.
    const top = this.#dressLater.find(({ names }) => names.length === 0);
    await this.#removeParts();
    if (top !== undefined) {
      const handle = await open(this.#root.at, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await setModifyTime(handle, top.modifyTime);
      } finally {
        await handle.close();
      }
    }
    if (sync) await syncTree(this.#root.at);
    await this.#close();
  }

  /** Leaves what is in its place, and removes what is not. */
  async abandon(): Promise<void> {
    await this.settle();
    await this.#removeParts().catch(() => {});
    await this.#close();
  }

  async #makeDirectory(entry: TreeEntry): Promise<void> {
    await this.#directory(entry.names, entry);
    this.#dressLater.push(entry);
    this.report.directories++;
  }

  async #writeFile(entry: TreeEntry, at: PathBytes, content: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
    const part = await this.#newPart();
    const handle = await open(part, writeNew, entry.mode & 0o777);
    let written = 0;
    try {
      for await (const data of content) {
        await writeAll(handle, [data], written);
        written += data.length;
      }
      await this.#give(entry, ({ uid, gid }) => handle.chown(uid, gid));
      const mode = lendsRights(entry) ? modeFor(entry, await handle.stat()) : entry.mode & 0o7777;
      if (isMasked(mode)) await handle.chmod(mode);
      await setModifyTime(handle, entry.modifyTime);
    } finally {
      await handle.close();
    }
    await rename(part, at);
    this.#countFile(written);
  }

  async #writeQuickly(entry: TreeEntry, at: PathBytes, data: readonly Buffer[]): Promise<void> {
    const part = await this.#newPart();
    const { mode, modifyTime } = entry;
    const looks = { mode: mode & 0o7777, modifyTime, owner: this.#keepOwners ? entry.owner : undefined };
    await this.#disk.run(() => writeSmall(part, at, data, looks));
    this.#countFile(data.reduce((sum, { length }) => sum + length, 0));
  }

  #countFile(bytes: number): void {
    this.report.files++;
    this.report.contentBytes += bytes;
  }

  async #hardLink(entry: TreeEntry, at: PathBytes): Promise<void> {
    const name = entry.linkNames.at(-1);
    if (name === undefined) throw refused(entry.name, "is a link to the tree's top");
    const directory = await this.#directory(entry.linkNames.slice(0, -1), entry);
    const source = joinPath(directory.at, name);
    await this.#link(
      at,
      () => this.report.hardLinks++,
      (part) => link(source, part),
    );
  }

  /** Makes a link apart and renames it, so that it replaces what is there in one step. */
  async #link(at: PathBytes, count: () => void, make: (part: PathBytes) => Promise<void>): Promise<void> {
    const part = await this.#newPart();
    await make(part);
    await rename(part, at);
    // A rename over another name of the same file does nothing, and leaves the part.
    await unlink(part).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
    count();
  }

  /** Before the mode is set, whose set-user-id bit another owner clears. */
  async #give({ owner }: TreeEntry, chown: (owner: Owner) => Promise<void>): Promise<void> {
    if (this.#keepOwners && owner !== undefined) await chown(owner).catch(() => {});
  }

  async #newPart(): Promise<PathBytes> {
    this.#parts ??= this.#makeParts();
    return joinPath((await this.#parts).at, Buffer.from(String(this.#partCount++)));
  }

  async #makeParts(): Promise<Directory> {
    await makePartDirectory(joinPath(this.#root.at, this.#partName));
    return this.#root.open(this.#partName);
  }

  async #removeParts(): Promise<void> {
    const parts = await this.#parts?.catch(() => undefined);
    this.#parts = undefined;
    await parts?.close();
    await removePartDirectory(joinPath(this.#root.at, this.#partName));
  }

  /** The directory of these names, made where it is missing; open until the next entry. */
  async #directory(names: readonly PathBytes[], entry: TreeEntry): Promise<Directory> {
    let directory = this.#root;
    for (let count = 1; count <= names.length; count++) {
      const key = keyOf(names.slice(0, count));
      const known = this.#directories.get(key);
      directory = known ?? (await this.#enter(directory, names[count - 1] as PathBytes, entry));
      if (known === undefined) this.#directories.set(key, directory);
    }
    return directory;
  }

  async #enter(directory: Directory, name: PathBytes, entry: TreeEntry): Promise<Directory> {
    try {
      return await openOrMake(directory, name);
    } catch (error) {
      const code = systemCode(error);
      if (code === "ENOTDIR" || code === "ELOOP")
        throw refused(entry.name, "goes through what is no directory, or a link");
      throw error;
    }
  }

  /** Only between two entries: an entry may be in several directories. */
  async #boundDirectories(): Promise<void> {
    if (this.#directories.size <= maxDirectories) return;
    await this.drain();
    const directories = [...this.#directories.values()];
    this.#directories = new Map();
    await Promise.all(directories.map((directory) => directory.close()));
  }

  async #close(): Promise<void> {
    const directories = [...this.#directories.values(), this.#root];
    this.#directories = new Map();
    await Promise.all(directories.map((directory) => directory.close()));
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

async function* followedBy(begun: Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    while (begun.length > 0) yield begun.shift() as Buffer;
    yield* { [Symbol.asyncIterator]: () => rest };
  } finally {
    await rest.return?.();
  }
}

function keyOf(names: readonly PathBytes[]): string {
  return Buffer.concat(names.flatMap((name) => [name, separator])).toString("latin1");
}

const separator = Buffer.from("/");
/** Up to here a file is written on this thread, if its disk is quick. */
const quickBytes = 64 * 1024;
const smallBytes = 256 * 1024;
const maxPending = 8;
const maxDirectories = 200;
