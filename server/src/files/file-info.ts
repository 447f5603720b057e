import { lstatSync, readlinkSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { lstat, readlink, stat } from "node:fs/promises";
import { FailedPrecondition } from "../util/errors.ts";
import { isMissing } from "./errno.ts";
import { pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";

export const fileKinds = [
  "REGULAR",
  "DIRECTORY",
  "SYMLINK",
  "FIFO",
  "SOCKET",
  "CHARACTER_DEVICE",
  "BLOCK_DEVICE",
] as const;

export type FileKind = (typeof fileKinds)[number];

/** What the file system knows of a name; the contract's FileInfo. */
export interface FileInfo {
  readonly path: PathBytes;
  readonly kind: FileKind;
  readonly stats: BigIntStats;
  readonly etag: string;
  readonly linkTarget?: PathBytes;
  readonly sha256?: Buffer;
}

export function fileInfo(path: PathBytes, stats: BigIntStats): FileInfo {
  return { path, kind: kindOf(stats), stats, etag: etagOf(stats) };
}

/** What is at a place; of a link the link itself, with where it points. */
export async function readInfo(at: PathBytes, path: PathBytes, follow: boolean): Promise<FileInfo> {
  const stats = await (follow ? stat : lstat)(at, { bigint: true });
  const info = fileInfo(path, stats);
  return info.kind === "SYMLINK" ? { ...info, linkTarget: await readlink(at, { encoding: "buffer" }) } : info;
}

/** The same on this thread, of a link the link itself. */
export function readInfoNow(at: PathBytes, path: PathBytes): FileInfo {
  const info = fileInfo(path, lstatSync(at, { bigint: true }));
  return info.kind === "SYMLINK" ? { ...info, linkTarget: readlinkSync(at, { encoding: "buffer" }) } : info;
}

/** What is at a place, or undefined where nothing is. */
export async function findInfo(at: PathBytes, path: PathBytes): Promise<FileInfo | undefined> {
  try {
    return await readInfo(at, path, false);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Names a state of the content: another inode, size or time of change is another state. */
export function etagOf(stats: Pick<BigIntStats, "ino" | "size" | "mtimeNs" | "ctimeNs">): string {
  return [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].map((number) => number.toString(36)).join("-");
}

/** Throws where the present state, if there is any, is not the one that is wanted. */
export function checkEtag(path: PathBytes, wanted: string, present: FileInfo | undefined): void {
  if (wanted === "" || present?.etag === wanted) return;
  const subject = pathText(path);
  const what = present === undefined ? "is gone" : "has changed";
  throw new FailedPrecondition("ETAG_MISMATCH", `The file ${what} since its etag was taken: ${subject}`, {
    subject,
    etag: present?.etag ?? "",
    remedy: "Read it again, and write with the etag it has now.",
  });
}

/** Throws where a regular file is needed and something else is there. */
export function checkRegular(path: PathBytes, kind: FileKind): void {
  if (kind === "REGULAR") return;
  const subject = pathText(path);
  if (kind === "DIRECTORY") {
    throw new FailedPrecondition("IS_A_DIRECTORY", `Is a directory: ${subject}`, { subject, systemCode: "EISDIR" });
  }
  const name = kind.toLowerCase().replace("_", " ");
  throw new FailedPrecondition("NOT_A_REGULAR_FILE", `Not a regular file but a ${name}: ${subject}`, {
    subject,
    systemCode: "EINVAL",
  });
}

export function kindOf(stats: KindStats): FileKind {
  if (stats.isFile()) return "REGULAR";
  if (stats.isDirectory()) return "DIRECTORY";
  if (stats.isSymbolicLink()) return "SYMLINK";
  if (stats.isFIFO()) return "FIFO";
  if (stats.isSocket()) return "SOCKET";
  return stats.isBlockDevice() ? "BLOCK_DEVICE" : "CHARACTER_DEVICE";
}

type KindStats = Pick<
  BigIntStats,
  "isFile" | "isDirectory" | "isSymbolicLink" | "isFIFO" | "isSocket" | "isBlockDevice"
>;
