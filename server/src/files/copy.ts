import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, realpath } from "node:fs/promises";
import { FailedPrecondition, InvalidRequest } from "../util/errors.ts";
import type { TreeReport } from "../util/errors.ts";
import { openDirectory } from "./directory.ts";
import { fileError } from "./errno.ts";
import { checkEtag, checkRegular, findInfo, readInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import { partPrefix } from "./part-file.ts";
import { dot, isWithin, joinPath, pathText, splitPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths, Place } from "./place.ts";
import { QuickDisk } from "./quick-disk.ts";
import { readChunks } from "./read-chunks.ts";
import type { TreeEntry } from "./tree-entry.ts";
import { skip } from "./tree-report.ts";
import { TreeWriter } from "./tree-writer.ts";
import { walk } from "./walk.ts";
import { systemError } from "./system-error.ts";

export interface CopyQuery {
  readonly source: PathBytes;
  readonly destination: PathBytes;
  readonly recursive: boolean;
  readonly createParents: boolean;
  readonly ifAbsent: boolean;
  readonly ifMatch: string;
}

/** Copies a file, a link, or a directory with all that is in it. */
export function copy(paths: Paths, query: CopyQuery): Promise<{ file: FileInfo; report: TreeReport }> {
  return paths.locate(query.source, { follow: "no" }, async (source) => {
    const info = await readInfo(source.at, source.path, false);
    checkEtag(source.path, query.ifMatch, info);
    checkCopyable(source, info);
    if (info.kind === "DIRECTORY") {
      if (!query.recursive) throw notRecursive(source);
      checkNotWithin(paths.absolute(query.source), paths.absolute(query.destination));
    }
    return paths.locate(
      query.destination,
      { follow: info.kind === "SYMLINK" ? "no" : "target", createParents: query.createParents },
      async (destination) => {
        const present = await findInfo(destination.at, destination.path);
        if (present !== undefined && query.ifAbsent) {
          throw systemError("EEXIST");
        }
        if (info.kind === "DIRECTORY") await checkReallyNotWithin(source, destination);
        const report = await copyInto(paths, source, info, destination);
        return { file: await readInfo(destination.at, destination.path, false), report };
      },
    );
  });
}

/**
 * Everything is copied by the writer that unpacks trees: whole files, no links followed.
 *
 * @param keepOwners give the copies to those who own what is copied, where the server may
 */
export async function copyInto(
  paths: Paths,
  source: Place,
  info: FileInfo,
  destination: Place,
  { keepOwners = false } = {},
): Promise<TreeReport> {
  const parent = await openDirectory(joinPath(destination.directory, dot), true);
  const writer = new TreeWriter({
    root: parent,
    disk: await QuickDisk.under(parent.at),
    partName: Buffer.from(partPrefix + randomBytes(12).toString("hex")),
    keepOwners,
  });
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
  const entry: TreeEntry = {
    name: info.path,
    names,
    type: linkNames === undefined ? (types[info.kind] ?? "file") : "hardlink",
    size: isFile ? Number(info.stats.size) : 0,
    mode: Number(info.stats.mode & 0o7777n),
    modifyTime: Number(info.stats.mtimeNs / 1000n) / 1e6,
    target: info.linkTarget ?? Buffer.alloc(0),
    linkNames: linkNames ?? [],
    owner: { uid: Number(info.stats.uid), gid: Number(info.stats.gid) },
  };
  const handle = isFile ? await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK) : undefined;
  try {
    await writer.write(entry, handle === undefined ? nothing() : wholeFile(handle));
  } finally {
    await handle?.close();
  }
}

function wholeFile(handle: FileHandle): AsyncGenerator<Buffer> {
  return readChunks(handle, 0, Number.MAX_SAFE_INTEGER);
}

async function* nothing(): AsyncGenerator<Buffer> {}

function notRecursive({ path }: Place): FailedPrecondition {
  const subject = pathText(path);
  return new FailedPrecondition("IS_A_DIRECTORY", `Is a directory, and the copy is not recursive: ${subject}`, {
    subject,
    systemCode: "EISDIR",
  });
}

/** Throws where the destination lies in the source, by their names. */
function checkNotWithin(source: PathBytes, destination: PathBytes): void {
  if (!isWithin(destination, source)) return;
  throw new InvalidRequest("INVALID_FIELD", `The destination lies in the source: ${pathText(destination)}`, {
    subject: "destination_path",
    systemCode: "EINVAL",
  });
}

/** The same where links or ".." lead there. */
export async function checkReallyNotWithin(source: Place, destination: Place): Promise<void> {
  const from = await realpath(source.at, { encoding: "buffer" });
  const into = await realpath(destination.directory, { encoding: "buffer" });
  checkNotWithin(from, joinPath(into, destination.name));
}

/** Throws for a device, pipe or socket, which is no content to copy. */
export function checkCopyable({ path }: Place, { kind }: FileInfo): void {
  if (kind !== "DIRECTORY" && kind !== "SYMLINK") checkRegular(path, kind);
}

const types: Readonly<Partial<Record<FileInfo["kind"], TreeEntry["type"]>>> = {
  REGULAR: "file",
  DIRECTORY: "directory",
  SYMLINK: "symlink",
};
