import { closeSync, constants, openSync, readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { coalesce, combineCrc32, crc32, QuickDisk, tarEnd, tarFile, tarHeader, tarPadding } from "@yonder/transfer";
import type { TreeReport } from "../util/errors.ts";
import { fileError, isMissing, systemCode } from "./errno.ts";
import { readInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import type { IgnoreOptions } from "./ignore-rules.ts";
import { baseName, dot, joinPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths, Place } from "./place.ts";
import { chunkBytes, readChunk, readChunks } from "./read-chunks.ts";
import { emptyReport, skip } from "./tree-report.ts";
import { walk } from "./walk.ts";

export interface PackQuery extends IgnoreOptions {
  readonly path: PathBytes;
  /** Only these entries, relative to the directory. Empty: all. */
  readonly only: readonly PathBytes[];
}

export type PackEvent =
  | { readonly type: "started"; readonly root: FileInfo }
  | { readonly type: "chunk"; readonly offset: number; readonly data: Buffer; readonly crc32: number }
  | {
      readonly type: "finished";
      readonly report: TreeReport;
      readonly sizeBytes: number;
      readonly crc32: number;
      readonly changed: number;
    };

/** Packs a tree into a tar stream. A chunk's bytes are good until the next event. */
export async function* packTree(paths: Paths, query: PackQuery): AsyncGenerator<PackEvent> {
  const [root, disk] = await paths.locate(query.path, { follow: "target" }, async (place) => [
    await readInfo(place.at, place.path, false),
    await QuickDisk.under(place.at),
  ]);
  yield { type: "started", root };
  const packer = new Packer(paths, query, root, disk);
  let [offset, whole] = [0, 0];
  try {
    for await (const data of coalesce(packer.pack(), chunkBytes)) {
      const digest = crc32(data);
      whole = combineCrc32(whole, digest, data.length);
      yield { type: "chunk", offset, data, crc32: digest };
      offset += data.length;
    }
  } catch (error) {
    throw fileError(error, root.path);
  }
  yield { type: "finished", report: packer.report, sizeBytes: offset, crc32: whole, changed: packer.changed };
}

class Packer {
  readonly report: TreeReport = emptyReport();
  changed = 0;
  readonly #paths: Paths;
  readonly #query: PackQuery;
  readonly #root: FileInfo;
  readonly #disk: QuickDisk;
  /** The first name of each file that has several. */
  readonly #linked = new Map<string, PathBytes>();

  constructor(paths: Paths, query: PackQuery, root: FileInfo, disk: QuickDisk) {
    this.#paths = paths;
    this.#query = query;
    this.#root = root;
    this.#disk = disk;
  }

  async *pack(): AsyncGenerator<Buffer> {
    if (this.#query.only.length > 0) yield* this.#packOnly();
    else if (this.#root.kind === "DIRECTORY") yield* this.#packAll();
    else yield* this.#packAlone();
    yield tarEnd;
  }

  async *#packAll(): AsyncGenerator<Buffer> {
    yield* this.#entry(dot, this.#root, undefined, undefined);
    // The place is needed for as long as the walk goes on: it is given from inside of `locate`.
    yield* this.#inside(this.#root.path, (place) => this.#walk(place));
  }

  async *#walk(place: Place): AsyncGenerator<Buffer> {
    const entries = walk<Buffer>(place.at, {
      depth: Infinity,
      rules: IgnoreRules.create(this.#query),
      includeHidden: true,
      pinned: this.#paths.isConfined,
      disk: this.#disk,
      load: { now: loadSmallNow, later: loadSmall },
      onUnreadable: (_, path) => skip(this.report, path),
    });
    for await (const { info, at, loaded } of entries) yield* this.#entry(info.path, info, at, loaded);
  }

  async *#packAlone(): AsyncGenerator<Buffer> {
    const name = baseName(this.#root.path);
    yield* this.#inside(this.#root.path, (place) => this.#entry(name, this.#root, place.at, undefined));
  }

  async *#packOnly(): AsyncGenerator<Buffer> {
    for (const name of this.#query.only) {
      yield* this.#inside(joinPath(this.#root.path, name), (place) => this.#packOne(name, place));
    }
  }

  async *#packOne(name: PathBytes, place: Place): AsyncGenerator<Buffer> {
    const info = await readInfo(place.at, name, false).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (info === undefined) skip(this.report, name);
    else yield* this.#entry(name, info, place.at, await this.#loadSmall(place.at, info));
  }

  async *#entry(
    name: PathBytes,
    info: FileInfo,
    at: PathBytes | undefined,
    loaded: Buffer | undefined,
  ): AsyncGenerator<Buffer> {
    const base = { name, mode: Number(info.stats.mode & 0o7777n), mtimeNs: info.stats.mtimeNs, size: 0 };
    if (info.kind === "DIRECTORY") {
      this.report.directories++;
      yield tarHeader({ ...base, type: "directory" });
    } else if (info.kind === "SYMLINK") {
      this.report.symlinks++;
      yield tarHeader({ ...base, type: "symlink", linkName: info.linkTarget ?? Buffer.alloc(0) });
    } else if (info.kind !== "REGULAR" || at === undefined) {
      skip(this.report, name);
    } else {
      const key = info.stats.nlink > 1n ? `${info.stats.dev}:${info.stats.ino}` : undefined;
      const first = key === undefined ? undefined : this.#linked.get(key);
      if (first !== undefined) {
        this.report.hardLinks++;
        yield tarHeader({ ...base, type: "hardlink", linkName: first });
        return;
      }
      if (loaded?.length === Number(info.stats.size)) {
        yield tarFile(base, loaded);
        this.report.files++;
        this.report.contentBytes += loaded.length;
      } else if (!(yield* this.#large(base, at))) return;
      if (key !== undefined) this.#linked.set(key, name);
    }
  }

  async *#large(
    base: { name: PathBytes; mode: number; mtimeNs: bigint },
    at: PathBytes,
  ): AsyncGenerator<Buffer, boolean> {
    const handle = await openQuietly(at);
    if (handle === undefined) {
      skip(this.report, base.name);
      return false;
    }
    try {
      const before = await handle.stat({ bigint: true });
      const size = Number(before.size);
      yield tarHeader({ ...base, mtimeNs: before.mtimeNs, type: "file", size });
      let read = 0;
      for await (const data of readChunks(handle, 0, size, { lend: true })) {
        read += data.length;
        yield data;
      }
      // The entry told a size, so the stream has to have it.
      for (; read < size; read += chunkBytes) yield Buffer.alloc(Math.min(chunkBytes, size - read));
      yield tarEnd.subarray(0, tarPadding(size));
      const after = await handle.stat({ bigint: true });
      if (after.mtimeNs !== before.mtimeNs || after.size !== before.size) this.changed++;
      this.report.files++;
      this.report.contentBytes += size;
      return true;
    } finally {
      await handle.close();
    }
  }

  #loadSmall(at: PathBytes, info: FileInfo): Promise<Buffer | undefined> {
    return this.#disk.isQuick ? this.#disk.run(() => loadSmallNow(at, info)) : loadSmall(at, info);
  }

  /** A generator that runs inside of `locate`, whose place stays open until it ends. */
  async *#inside(path: PathBytes, generate: (place: Place) => AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
    const [located, released] = [Promise.withResolvers<Place>(), Promise.withResolvers<void>()];
    const done = this.#paths.locate(path, { follow: "no" }, (place) => {
      located.resolve(place);
      return released.promise;
    });
    done.catch(located.reject);
    try {
      yield* generate(await located.promise);
    } finally {
      released.resolve();
      await done;
    }
  }
}

/** A small file's content, read ahead; undefined for everything else. */
async function loadSmall(at: PathBytes, info: FileInfo): Promise<Buffer | undefined> {
  if (!isSmall(info)) return undefined;
  try {
    const handle = await open(at, openFlags);
    try {
      return await readChunk(handle, 0, Number(info.stats.size));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unlessGone(error);
  }
}

/** The same on this thread. */
function loadSmallNow(at: PathBytes, info: FileInfo): Buffer | undefined {
  if (!isSmall(info)) return undefined;
  try {
    const descriptor = openSync(at, openFlags);
    try {
      return readNow(descriptor, Buffer.allocUnsafe(Number(info.stats.size)));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return unlessGone(error);
  }
}

function isSmall({ kind, stats }: FileInfo): boolean {
  return kind === "REGULAR" && stats.size <= smallBytes;
}

/** Fills memory from the begin of a file; answers less of it where the file ends before. */
function readNow(descriptor: number, memory: Buffer): Buffer {
  let filled = 0;
  while (filled < memory.length) {
    const read = readSync(descriptor, memory, filled, memory.length - filled, filled);
    if (read === 0) break;
    filled += read;
  }
  return memory.subarray(0, filled);
}

/** Opens a file; undefined where it went away or may not be read. */
async function openQuietly(at: PathBytes): Promise<FileHandle | undefined> {
  try {
    return await open(at, openFlags);
  } catch (error) {
    return unlessGone(error);
  }
}

function unlessGone(error: unknown): undefined {
  const code = systemCode(error);
  if (isMissing(error) || code === "EACCES" || code === "EPERM" || code === "ELOOP") return undefined;
  throw error;
}

const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const smallBytes = 64n * 1024n;
