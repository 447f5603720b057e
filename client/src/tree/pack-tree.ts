import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { tarEnd, tarFile, tarHeader, tarPadding } from "@yonder/transfer";
import type { QuickDisk } from "@yonder/transfer";
import { text } from "./local-tree.ts";
import type { LocalEntry } from "./local-tree.ts";
import { skip } from "./tree-report.ts";
import type { TreeReport } from "./tree-report.ts";

/** An entry of a tree that is not on a disk: a file, unless `type` says otherwise. Parents are made by themselves. */
export interface TreeEntry {
  /** Relative to the tree, with "/" as separator. */
  path: string | Uint8Array;
  type?: "file" | "directory" | "symlink" | undefined;
  /** A file's content. */
  data?: string | Uint8Array | undefined;
  /** Where a symbolic link points. */
  target?: string | undefined;
  /** Default: 0o644 for files, 0o755 for directories. */
  mode?: number | undefined;
  /** Default: now. */
  mtime?: Date | undefined;
}

/** Packs entries of this machine's disk into a tar stream. Those that went away or change meanwhile are reported. */
export async function* packLocalEntries(
  entries: AsyncIterable<LocalEntry>,
  report: TreeReport,
  disk: QuickDisk,
): AsyncGenerator<Buffer> {
  const linked = new Map<string, Buffer>();
  for await (const entry of entries) {
    const { name, path, stats, target } = entry;
    const base = {
      name: Buffer.from(name, "latin1"),
      mode: Number(stats.mode & 0o7777n),
      mtimeNs: stats.mtimeNs,
      size: 0,
    };
    if (stats.isDirectory()) yield tarHeader({ ...base, type: "directory" });
    else if (target !== undefined) yield tarHeader({ ...base, type: "symlink", linkName: target });
    else if (stats.isFile()) {
      const key = stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : undefined;
      const first = key === undefined ? undefined : linked.get(key);
      if (first !== undefined) {
        yield tarHeader({ ...base, type: "hardlink", linkName: first });
        continue;
      }
      const isQuick = stats.size <= smallBytes && disk.isQuick;
      const whole = isQuick ? await disk.run(() => packSmall(base, entry)) : undefined;
      if (whole !== undefined) yield whole;
      else if (!(yield* packFile(base, path, report))) {
        skip(report, text(name));
        continue;
      }
      if (key !== undefined) linked.set(key, base.name);
    }
  }
  yield tarEnd;
}

/** Packs entries from memory into a tar stream. */
export async function* packEntries(entries: AsyncIterable<TreeEntry> | Iterable<TreeEntry>): AsyncGenerator<Buffer> {
  for await (const { path, type = "file", data = "", target = "", mode, mtime = new Date() } of entries) {
    const content = type === "file" ? Buffer.from(data as Uint8Array) : Buffer.alloc(0);
    yield tarHeader({
      name: Buffer.from(path as Uint8Array),
      type,
      mode: mode ?? (type === "directory" ? 0o755 : 0o644),
      mtimeNs: BigInt(mtime.getTime()) * 1_000_000n,
      size: content.length,
      linkName: Buffer.from(target),
    });
    if (content.length === 0) continue;
    yield content;
    yield tarEnd.subarray(0, tarPadding(content.length));
  }
  yield tarEnd;
}

async function* packFile(
  base: { name: Buffer; mode: number },
  path: Buffer,
  report: TreeReport,
): AsyncGenerator<Buffer, boolean> {
  const handle = await openQuietly(path);
  if (handle === undefined) return false;
  try {
    const { size: bytes, mtimeNs } = await handle.stat({ bigint: true });
    const size = Number(bytes);
    yield tarHeader({ ...base, mtimeNs, type: "file", size });
    let position = 0;
    while (position < size) {
      const length = Math.min(pieceBytes, size - position);
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(length), 0, length, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    // It became shorter meanwhile, but its entry told a size.
    for (; position < size; position += pieceBytes) yield Buffer.alloc(Math.min(pieceBytes, size - position));
    yield tarEnd.subarray(0, tarPadding(size));
    const after = await handle.stat({ bigint: true });
    if (after.size !== bytes || after.mtimeNs !== mtimeNs) report.changed++;
    return true;
  } finally {
    await handle.close();
  }
}

/** Packs a whole file on this thread; undefined where it is gone, or no longer what it was when it was looked at. */
function packSmall(base: { name: Buffer; mode: number; mtimeNs: bigint }, entry: LocalEntry): Buffer | undefined {
  const { path, stats } = entry;
  const size = Number(stats.size);
  const descriptor = openSmall(path);
  if (descriptor === undefined) return undefined;
  try {
    let filled = 0;
    while (filled < size) {
      const read = readSync(descriptor, smallFile, filled, size - filled, filled);
      if (read === 0) return undefined;
      filled += read;
    }
    const { ino, size: bytes, mtimeNs } = fstatSync(descriptor, { bigint: true });
    const isSame = ino === stats.ino && bytes === stats.size && mtimeNs === stats.mtimeNs;
    return isSame ? tarFile(base, smallFile.subarray(0, size)) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function openSmall(path: Buffer): number | undefined {
  try {
    return openSync(path, openFlags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function openQuietly(path: Buffer): Promise<FileHandle | undefined> {
  try {
    return await open(path, openFlags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const pieceBytes = 256 * 1024;
const smallBytes = 64 * 1024;
/** Read into, and packed from before anything else runs. */
const smallFile = Buffer.allocUnsafeSlow(smallBytes);
