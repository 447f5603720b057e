import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { QuickDisk } from "@yonder/transfer";
import type { TreeReport } from "../util/errors.ts";
import { closing, openDirectory } from "./directory.ts";
import { fileError } from "./errno.ts";
import { checkRegular, kindOf } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import { makePartDirectory, partPrefix, removePartDirectory } from "./part-file.ts";
import { dot, joinPath, splitPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths, Place } from "./place.ts";
import { readChunks } from "./read-chunks.ts";
import type { TreeEntry } from "./tree-entry.ts";
import { skip } from "./tree-report.ts";
import { TreeWriter } from "./tree-writer.ts";
import { walk } from "./walk.ts";

export interface CopyOptions {
  /** Give the copies to those who own what is copied, where the server may. */
  readonly keepOwners: boolean;
}

/** Everything is copied by the writer that unpacks trees: whole files, no links followed. */
export async function copyInto(
  paths: Paths,
  source: Place,
  info: FileInfo,
  destination: Place,
  { keepOwners }: CopyOptions,
): Promise<TreeReport> {
  const parent = await openDirectory(joinPath(destination.directory, dot), true);
  const disk = await QuickDisk.under(parent.at);
  const writer = new TreeWriter({ root: parent, disk, partName: newPartName(), keepOwners });
  try {
    await writeEntry(writer, info, [destination.name], source.at);
    if (info.kind === "DIRECTORY") await copyTree(paths, source, destination, writer);
    await writer.finish({ sync: false });
    return writer.report;
  } catch (error) {
    await writer.abandon();
    throw fileError(error, destination.path);
  }
}

/** Copies to where nobody sees it, beside the destination, and then calls `place` with the copy. */
export async function copyAside(
  paths: Paths,
  source: Place,
  info: FileInfo,
  destination: Place,
  options: CopyOptions,
  place: (copied: Place, report: TreeReport) => Promise<void>,
): Promise<TreeReport> {
  const parent = await openDirectory(joinPath(destination.directory, dot), true);
  return closing(parent, async () => {
    const partName = newPartName();
    const at = joinPath(parent.at, partName);
    await makePartDirectory(at);
    try {
      return await closing(await parent.open(partName), async (directory) => {
        const { name, path } = destination;
        const copied = { path, at: joinPath(directory.at, name), directory: directory.at, name };
        const report = await copyInto(paths, source, info, copied, options);
        await place(copied, report);
        return report;
      });
    } finally {
      await removePartDirectory(at);
    }
  });
}

function newPartName(): PathBytes {
  return Buffer.from(partPrefix + randomBytes(12).toString("hex"));
}

async function copyTree(paths: Paths, source: Place, destination: Place, writer: TreeWriter): Promise<void> {
  const rules = IgnoreRules.create({ exclude: [], gitignore: false });
  const options = { depth: Infinity, rules, includeHidden: true, pinned: paths.isConfined };
  const linked = new Map<string, PathBytes[]>();
  const onUnreadable = (error: unknown, path: PathBytes): void => {
    throw fileError(error, joinPath(source.path, path));
  };
  for await (const { info, at } of walk(source.at, { ...options, onUnreadable })) {
    const names = [destination.name, ...splitPath(info.path)];
    const key = info.kind === "REGULAR" && info.stats.nlink > 1n ? `${info.stats.dev}:${info.stats.ino}` : undefined;
    const first = key === undefined ? undefined : linked.get(key);
    if (first === undefined && key !== undefined) linked.set(key, names);
    if (["REGULAR", "DIRECTORY", "SYMLINK"].includes(info.kind)) await writeEntry(writer, info, names, at, first);
    else skip(writer.report, info.path);
  }
}

async function writeEntry(
  writer: TreeWriter,
  info: FileInfo,
  names: readonly PathBytes[],
  at: PathBytes,
  linkNames?: readonly PathBytes[],
): Promise<void> {
  const isFile = info.kind === "REGULAR" && linkNames === undefined;
  const handle = isFile ? await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK) : undefined;
  try {
    // Of the file that is read: another one may have taken its name since.
    const stats = (await handle?.stat({ bigint: true })) ?? info.stats;
    if (isFile) checkRegular(info.path, kindOf(stats));
    const entry: TreeEntry = {
      name: info.path,
      names,
      type: linkNames === undefined ? (types[info.kind] ?? "file") : "hardlink",
      size: isFile ? Number(stats.size) : 0,
      mode: Number(stats.mode & 0o7777n),
      modifyTime: Number(stats.mtimeNs / 1000n) / 1e6,
      target: info.linkTarget ?? Buffer.alloc(0),
      linkNames: linkNames ?? [],
      owner: { uid: Number(stats.uid), gid: Number(stats.gid) },
    };
    await writer.write(entry, handle === undefined ? nothing() : wholeFile(handle));
  } finally {
    await handle?.close();
  }
}

function wholeFile(handle: FileHandle): AsyncGenerator<Buffer> {
  return readChunks(handle, 0, Number.MAX_SAFE_INTEGER);
}

async function* nothing(): AsyncGenerator<Buffer> {}

const types: Readonly<Partial<Record<FileInfo["kind"], TreeEntry["type"]>>> = {
  REGULAR: "file",
  DIRECTORY: "directory",
  SYMLINK: "symlink",
};
