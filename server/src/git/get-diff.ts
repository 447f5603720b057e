import { createHash } from "node:crypto";
import { joinPath, parentPath, pathText } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import type { Paths } from "../files/place.ts";
import { NotFound } from "../util/errors.ts";
import { chooseBase, type Base } from "./choose-base.ts";
import { checkConfinement } from "./confinement.ts";
import { diskFile, LINK, REGULAR, SUBMODULE, type DiskFile } from "./disk-file.ts";
import { fileChange, LARGEST_TEXT_BYTES, type DiffContext, type FileChange } from "./file-change.ts";
import { filterSettings } from "./filter-settings.ts";
import type { GitReader } from "./git-reader.ts";
import { commitAndParent, differsAnywhere } from "./list-changes.ts";
import { isADirectory, normalized, withFile, type LocatedFile } from "./locate-file.ts";
import type { ChangeStatus } from "./raw-diff.ts";
import { describeObjects, readBlob, type ObjectInfo } from "./read-objects.ts";
import { strayDiff } from "./stray-diff.ts";

export interface DiffQuestion {
  readonly path: PathBytes;
  readonly baseRef: string | undefined;
  readonly commit: string | undefined;
  readonly contextLines: number;
  readonly signal: AbortSignal | undefined;
}

/** One side of a diff. `data` is undefined where it was not read: the diff is binary. */
export interface DiffSide {
  readonly data: Buffer | undefined;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly objectId: string;
}

export interface DiffAnswer {
  readonly status: ChangeStatus;
  /** Relative to what the question's path is relative to. */
  readonly oldPath: PathBytes | undefined;
  readonly original: DiffSide | undefined;
  readonly modified: DiffSide | undefined;
  readonly isBinary: boolean;
  readonly unifiedDiff: Buffer;
  readonly base: Base;
  readonly untracked: boolean;
  /** Another one whenever anything of the answer may be another. */
  readonly etag: string;
}

/** One file before and now, and the diff between the two. */
export async function getDiff(git: GitReader, paths: Paths, question: DiffQuestion): Promise<DiffAnswer> {
  return await withFile(paths, question.path, async (file) => {
    await checkConfinement(git, paths, file.directory, question.signal);
    return question.commit === undefined
      ? await diffWithDisk(git, file, question)
      : await diffOfCommit(git, file, question, question.commit);
  });
}

async function diffOfCommit(
  git: GitReader,
  file: LocatedFile,
  question: DiffQuestion,
  commit: string,
): Promise<DiffAnswer> {
  const { signal, contextLines } = question;
  const { id, base } = await commitAndParent(git, file.directory, commit, signal);
  const context: DiffContext = { ids: [base.id, id], contextLines, settings: [], signal };
  const found = await fileChange(git, file, context);
  const [before, now] = await describeObjects(
    git,
    file.directory,
    [nameIn(base.id, file, found?.oldPath), nameIn(id, file)],
    signal,
  );
  const [original, modified] = [blobOnly(before, found?.change.oldMode), blobOnly(now, found?.change.newMode)];
  if (original === undefined && modified === undefined) throw notThere(question.path, before ?? now);
  const read = async (info: ObjectInfo | undefined, mode: number): Promise<DiffSide | undefined> =>
    info === undefined ? undefined : await objectSide(git, file, info, mode, undefined, context);
  return answer(question, base, found, {
    original: await read(original, found?.change.oldMode ?? REGULAR),
    modified: await read(modified, found?.change.newMode ?? REGULAR),
    untracked: false,
    version: id,
  });
}

async function diffWithDisk(git: GitReader, file: LocatedFile, question: DiffQuestion): Promise<DiffAnswer> {
  const { signal, contextLines, baseRef } = question;
  const { directory } = file;
  const [chosen, settings] = await Promise.all([
    chooseBase(git, directory, baseRef, signal),
    filterSettings(git, directory, signal),
  ]);
  const isHeadBase =
    chosen.whenClean === undefined || (await differsAnywhere(git, directory, chosen.id, settings, signal));
  const base = isHeadBase ? chosen : (chosen.whenClean ?? chosen);
  const context: DiffContext = { ids: [base.id], contextLines, settings, signal };

  const [found, [same], lying] = await Promise.all([
    fileChange(git, file, context),
    describeObjects(git, directory, [nameIn(base.id, file)], signal),
    diskFile(file),
  ]);
  const disk = lying === "directory" ? undefined : lying;
  const before =
    found?.oldPath === undefined
      ? same
      : (await describeObjects(git, directory, [nameIn(base.id, file, found.oldPath)], signal))[0];
  const info = blobOnly(before, found?.change.oldMode);
  const isModule = found?.change.newMode === SUBMODULE;
  if (info === undefined && disk === undefined && !isModule)
    throw lying === "directory" ? isADirectory(question.path) : notThere(question.path, before);

  // Git sees it gone, or not at all, and there it lies: it is not in the index.
  const untracked =
    disk !== undefined && (found?.change.status === "DELETED" || (found === undefined && info === undefined));
  const oldMode = found?.change.oldMode ?? disk?.mode ?? REGULAR;
  const smudgedAs = oldMode === LINK ? undefined : file.path;
  const original = info === undefined ? undefined : await objectSide(git, file, info, oldMode, smudgedAs, context);
  const seen = untracked ? await strayDiff(git, file, info, disk, context) : found;
  return answer(question, base, seen, {
    original,
    modified: isModule ? moduleSide(seen) : await diskSide(disk, untracked ? undefined : found?.change.newMode),
    untracked,
    version: disk?.version ?? "",
  });
}

/** `<commit>:./<path>`, which git reads relative to the directory that it runs in. */
function nameIn(id: string, { path }: LocatedFile, oldPath?: PathBytes): Buffer {
  const name = oldPath === undefined ? path : joinPath(parentOf(path), oldPath);
  const lead = name.subarray(0, 3).equals(Buffer.from("../")) ? "" : "./";
  return Buffer.concat([Buffer.from(`${id}:${lead}`), normalized(name)]);
}

function parentOf(path: PathBytes): PathBytes {
  return path.includes(0x2f) ? parentPath(path) : Buffer.alloc(0);
}

/** A directory in a commit is no file; a submodule is one line that names its commit. */
function blobOnly(info: ObjectInfo | undefined, mode: number | undefined): ObjectInfo | undefined {
  return info?.kind === "blob" || (info !== undefined && mode === SUBMODULE) ? info : undefined;
}

function notThere(path: PathBytes, info: ObjectInfo | undefined): Error {
  if (info?.kind === "tree") return isADirectory(path);
  const subject = pathText(path);
  return new NotFound("FILE_NOT_FOUND", `Neither the base nor the disk has ${subject}`, { subject });
}

async function objectSide(
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

async function diskSide(disk: DiskFile | undefined, trackedMode: number | undefined): Promise<DiffSide | undefined> {
  if (disk === undefined) return undefined;
  const mode = trackedMode ?? disk.mode;
  if (disk.sizeBytes > LARGEST_TEXT_BYTES) return { data: undefined, sizeBytes: disk.sizeBytes, mode, objectId: "" };
  const data = await disk.read(LARGEST_TEXT_BYTES);
  return { data, sizeBytes: data.length, mode, objectId: "" };
}

/** What git says of a submodule's commit now. */
function moduleSide(found: FileChange | undefined): DiffSide | undefined {
  const line = /^\+(Subproject commit [0-9a-f]+(?:-dirty)?\n)/m.exec(found?.unifiedDiff.toString("latin1") ?? "")?.[1];
  if (line === undefined) return undefined;
  const data = Buffer.from(line);
  return { data, sizeBytes: data.length, mode: SUBMODULE, objectId: "" };
}

function answer(
  { path, contextLines }: DiffQuestion,
  base: Base,
  found: FileChange | undefined,
  sides: { original: DiffSide | undefined; modified: DiffSide | undefined; untracked: boolean; version: string },
): DiffAnswer {
  const { original, modified, untracked, version } = sides;
  const isUnread = [original, modified].some((side) => side !== undefined && side.data === undefined);
  const isBinary = isUnread || (found?.isBinary ?? [original, modified].some((side) => looksBinary(side?.data)));
  const oldPath = found?.oldPath === undefined ? undefined : normalized(joinPath(parentOf(path), found.oldPath));
  const status = found?.change.status ?? (original === undefined ? "ADDED" : "UNCHANGED");
  const identity = [
    base.id,
    original?.objectId,
    original?.mode,
    modified?.objectId,
    modified?.mode,
    version,
    status,
    contextLines,
  ];
  const etag = createHash("sha256").update(JSON.stringify(identity)).digest("base64url").slice(0, 22);
  return {
    status,
    oldPath,
    original,
    modified,
    isBinary,
    unifiedDiff: found?.unifiedDiff ?? Buffer.alloc(0),
    base,
    untracked,
    etag,
  };
}

/** As git guesses: a NUL byte near the beginning. */
function looksBinary(data: Buffer | undefined): boolean {
  return data?.subarray(0, 8000).includes(0) === true;
}
