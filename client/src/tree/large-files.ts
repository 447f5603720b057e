import { makeDirectories } from "@yonder/transfer";
import type { Connection } from "../connection/connection.ts";
import { downloadResumed } from "../files/file-operations.ts";
import type { FileStats } from "../files/file-stats.ts";
import { exactTimestamp } from "../files/timestamp.ts";
import type { WirePlace } from "../files/wire-path.ts";
import type { OnProgress } from "../transfer/progress.ts";
import { openFile } from "../transfer/upload-source.ts";
import { upload } from "../transfer/upload.ts";
import type { LocalEntry } from "./local-tree.ts";
import { below } from "./remote-tree.ts";
import type { TreeReport } from "./tree-report.ts";
import { safeDirectory, safeNames } from "./unpack-tree.ts";

/** From this size on a file of a tree that is to be gone on with is moved by itself, so that it is not begun anew. */
const largeBytes = 64 * 1024 * 1024;

interface Options {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnProgress | undefined;
}

/** Whether an entry here is moved by itself. One with several names is not: they would no longer be one file. */
export function isLarge({ stats }: LocalEntry): boolean {
  return stats.isFile() && stats.size >= largeBytes && stats.nlink === 1n;
}

/** The same of an entry there, which has to have a name that is text here. */
export function isLargeThere(stats: FileStats): boolean {
  return stats.isFile() && stats.size >= largeBytes && stats.nlink === 1 && typeof stats.path === "string";
}

/** Uploads a large file of a tree, from where an earlier call stood. */
export async function uploadLarge(
  connection: Connection,
  { name, path }: LocalEntry,
  target: WirePlace,
  report: TreeReport,
  options: Options,
): Promise<void> {
  const source = await openFile(path);
  try {
    const { mode, mtimeNs = 0n } = source;
    const header = {
      ...below(target, name),
      createParents: true,
      modifyTime: exactTimestamp(mtimeNs),
      ...(mode !== undefined && { mode }),
    };
    const { committedBytes } = await upload(connection, header, source, { ...options, resume: true });
    report.files++;
    report.contentBytes += Number(committedBytes);
  } finally {
    await source.close();
  }
}

/** Downloads a large file of a tree, from where an earlier call stood. */
export async function downloadLarge(
  connection: Connection,
  name: string,
  source: WirePlace,
  directory: string,
  report: TreeReport,
  options: Options,
): Promise<void> {
  const names = safeNames(name);
  await makeDirectories(directory);
  const parent = await safeDirectory(Buffer.from(directory), names.slice(0, -1), name, new Set());
  const target = `${parent.toString()}/${Buffer.from(names.at(-1) ?? "", "latin1").toString()}`;
  const request = { ...below(source, name), ifMatch: "" };
  const { fileSize } = await downloadResumed(connection, request, target, options);
  report.files++;
  report.contentBytes += fileSize ?? 0;
}
