import { emptyTree } from "./choose-base.ts";
import { nameIn } from "./diff-side.ts";
import { SUBMODULE, type DiskFile } from "./disk-file.ts";
import {
  changeAmongAll,
  diffOf,
  exactly,
  fileChange,
  movedChange,
  type DiffContext,
  type FileChange,
} from "./file-change.ts";
import type { GitReader } from "./git-reader.ts";
import type { IndexEntry } from "./index-entry.ts";
import type { LocatedFile } from "./locate-file.ts";
import type { ObjectInfo } from "./read-objects.ts";
import { directChange } from "./direct-change.ts";

export interface Found {
  /** What the base has under the file's name. */
  readonly before: ObjectInfo | undefined;
  readonly entry: IndexEntry | undefined;
  readonly disk: DiskFile | undefined;
  /** Whether the modes and links on disk mean what they say here. */
  readonly trustsModes: boolean;
}

/** The change of one file on disk against a base, by the shortest way there is; undefined where there is none. */
export async function changeOnDisk(
  git: GitReader,
  file: LocatedFile,
  baseId: string,
  { before, entry, disk, trustsModes }: Found,
  context: DiffContext,
): Promise<FileChange | undefined> {
  const blob = before?.kind === "blob" ? nameIn(baseId, file) : undefined;
  if (disk !== undefined && entry === undefined) return await strayChange(git, file, blob, context);
  // A submodule and doubtful modes only git can judge.
  if (entry?.mode === SUBMODULE || !trustsModes) return await fileChange(git, file, context);
  if (blob !== undefined && disk !== undefined) return await directChange(git, file, blob, context);
  if (blob !== undefined) {
    if (entry?.isSkipped === true) return undefined;
    const nothing = await emptyTree(git, file.directory, context.signal);
    return await diffOf(git, file.directory, exactly(file.path), { ...context, ids: [baseId, nothing] });
  }
  if (disk === undefined || entry === undefined) return await fileChange(git, file, context);
  const change = await changeAmongAll(git, file.directory, entry.path, context);
  // It may have been a submodule, which is no object of this repository and so looks like nothing in the base.
  if (change?.status !== "MOVED" && change?.status !== "ADDED") return await fileChange(git, file, context);
  const moved = change.oldPath && (await movedChange(git, file, entry.path, change.oldPath, context));
  return moved ?? (await directChange(git, file, undefined, context));
}

/** The change of a file that git does not track: whatever became of it, it is new or an update. */
async function strayChange(
  git: GitReader,
  file: LocatedFile,
  blob: Buffer | undefined,
  context: DiffContext,
): Promise<FileChange | undefined> {
  const found = await directChange(git, file, blob, context);
  if (found === undefined) return undefined;
  return { ...found, change: { ...found.change, status: blob === undefined ? "ADDED" : "UPDATED" } };
}
