import { joinPath, parentPath } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import { SUBMODULE, type DiskFile } from "./disk-file.ts";
import { LARGEST_TEXT_BYTES, type DiffContext, type FileChange } from "./file-change.ts";
import type { GitReader } from "./git-reader.ts";
import { normalized, type LocatedFile } from "./locate-file.ts";
import { readBlob, type ObjectInfo } from "./read-objects.ts";

/** One side of a diff. `data` is undefined where it was not read: the diff is binary. */
export interface DiffSide {
  readonly data: Buffer | undefined;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly objectId: string;
}

/** What git has; with a path, as a checkout to it would write it. */
export async function objectSide(
  git: GitReader,
  { directory }: LocatedFile,
  info: ObjectInfo,
  mode: number,
  smudgedAs: PathBytes | undefined,
  { settings, signal }: DiffContext,
): Promise<DiffSide> {
  if (info.sizeBytes > LARGEST_TEXT_BYTES)
    return { data: undefined, sizeBytes: info.sizeBytes, mode, objectId: info.id };
  const data = await readBlob(git, directory, info.id, smudgedAs, settings, signal);
  return { data, sizeBytes: data.length, mode, objectId: info.id };
}

export async function diskSide(
  disk: DiskFile | undefined,
  trackedMode: number | undefined,
): Promise<DiffSide | undefined> {
  if (disk === undefined) return undefined;
  const mode = trackedMode ?? disk.mode;
  if (disk.sizeBytes > LARGEST_TEXT_BYTES) return { data: undefined, sizeBytes: disk.sizeBytes, mode, objectId: "" };
  const data = await disk.read(LARGEST_TEXT_BYTES);
  return { data, sizeBytes: data.length, mode, objectId: "" };
}

/** A submodule's side: the line that stands for its commit, which is no object of this repository. */
export function moduleSide(found: FileChange | undefined, sign: "+" | "-"): DiffSide | undefined {
  const mode = sign === "-" ? found?.change.oldMode : found?.change.newMode;
  if (found === undefined || mode !== SUBMODULE) return undefined;
  const text = found.unifiedDiff.toString("latin1");
  const shown = new RegExp(`^[${sign}](Subproject commit [0-9a-f]+(?:-dirty)?\\n)`, "m").exec(text)?.[1];
  // One that only has another name has no lines in the diff.
  const line = shown ?? (found.change.similarity === 100 ? `Subproject commit ${found.change.oldId}\n` : undefined);
  if (line === undefined) return undefined;
  const data = Buffer.from(line);
  return { data, sizeBytes: data.length, mode, objectId: "" };
}

/** `<commit>:./<path>`, which git reads relative to the directory that it runs in. */
export function nameIn(id: string, { path }: LocatedFile, oldPath?: PathBytes): Buffer {
  const name = oldPath === undefined ? path : joinPath(parentOf(path), oldPath);
  const lead = name.subarray(0, 3).equals(Buffer.from("../")) ? "" : "./";
  return Buffer.concat([Buffer.from(`${id}:${lead}`), normalized(name)]);
}

export function parentOf(path: PathBytes): PathBytes {
  return path.includes(0x2f) ? parentPath(path) : Buffer.alloc(0);
}
