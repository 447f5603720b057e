import { createHash } from "node:crypto";
import { joinPath, pathText } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import type { Paths } from "../files/place.ts";
import { NotFound } from "../util/errors.ts";
import { chooseBase, type Base } from "./choose-base.ts";
import { changeOnDisk } from "./change-on-disk.ts";
import { checkConfinement } from "./confinement.ts";
import { diskSide, moduleSide, nameIn, objectSide, parentOf, type DiffSide } from "./diff-side.ts";
import { diskFile, LINK, REGULAR } from "./disk-file.ts";
import { fileChange, type DiffContext, type FileChange } from "./file-change.ts";
import type { GitReader } from "./git-reader.ts";
import { indexEntry } from "./index-entry.ts";
import { commitAndParent, differsAnywhere } from "./list-changes.ts";
import { isADirectory, normalized, withFile, type LocatedFile } from "./locate-file.ts";
import { isReason } from "./read-failure.ts";
import type { ChangeStatus } from "./raw-diff.ts";
import { describeObjects, type ObjectInfo } from "./read-objects.ts";
import { readSettings } from "./read-settings.ts";

export interface DiffQuestion {
  readonly path: PathBytes;
  readonly baseRef: string | undefined;
  readonly commit: string | undefined;
  readonly contextLines: number;
  readonly signal: AbortSignal | undefined;
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
    try {
      return question.commit === undefined
        ? await diffWithDisk(git, file, question)
        : await diffOfCommit(git, file, question, question.commit);
    } catch (error) {
      // The repository's own directory lies in none.
      const isOutside = isReason(error, "NOT_A_REPOSITORY") && (await diskFile(file)) === "directory";
      throw isOutside ? isADirectory(question.path) : error;
    }
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
  const read = async (info: ObjectInfo | undefined, mode = REGULAR): Promise<DiffSide | undefined> =>
    info?.kind === "blob" ? await objectSide(git, file, info, mode, undefined, context) : undefined;
  const original = moduleSide(found, "-") ?? (await read(before, found?.change.oldMode));
  const modified = moduleSide(found, "+") ?? (await read(now, found?.change.newMode));
  if (original === undefined && modified === undefined) throw notThere(question.path, before ?? now);
  return answer(question, base, found, {
    original,
    modified,
    untracked: false,
    version: id,
  });
}

async function diffWithDisk(git: GitReader, file: LocatedFile, question: DiffQuestion): Promise<DiffAnswer> {
  const { signal, contextLines, baseRef } = question;
  const { directory } = file;
  const [chosen, { settings, trustsModes }, entry, lying] = await Promise.all([
    chooseBase(git, directory, baseRef, signal),
    readSettings(git, directory, signal),
    indexEntry(git, file, signal),
    diskFile(file),
  ]);
  const isHeadBase =
    chosen.whenClean === undefined || (await differsAnywhere(git, directory, chosen.id, settings, signal));
  const base = isHeadBase ? chosen : (chosen.whenClean ?? chosen);
  const context: DiffContext = { ids: [base.id], contextLines, settings, signal };

  const describe = async (oldPath?: PathBytes): Promise<ObjectInfo | undefined> =>
    (await describeObjects(git, directory, [nameIn(base.id, file, oldPath)], signal))[0];
  const disk = lying === "directory" ? undefined : lying;
  const same = await describe();
  const found = await changeOnDisk(git, file, base.id, { before: same, entry, disk, trustsModes }, context);
  const before = found?.oldPath === undefined ? same : await describe(found.oldPath);
  const info = before?.kind === "blob" ? before : undefined;
  const [moduleBefore, moduleNow] = [moduleSide(found, "-"), moduleSide(found, "+")];
  if (info === undefined && disk === undefined && moduleBefore === undefined && moduleNow === undefined) {
    throw lying === "directory" ? isADirectory(question.path) : notThere(question.path, before);
  }

  const oldMode = found?.change.oldMode ?? disk?.mode ?? REGULAR;
  const smudgedAs = oldMode === LINK ? undefined : file.path;
  const blobBefore = info && (await objectSide(git, file, info, oldMode, smudgedAs, context));
  return answer(question, base, found, {
    original: moduleBefore ?? blobBefore,
    modified: moduleNow ?? (await diskSide(disk, found?.change.newMode)),
    untracked: disk !== undefined && entry === undefined,
    version: disk?.version ?? "",
  });
}

function notThere(path: PathBytes, info: ObjectInfo | undefined): Error {
  if (info?.kind === "tree") return isADirectory(path);
  const subject = pathText(path);
  return new NotFound("FILE_NOT_FOUND", `Neither the base nor the disk has ${subject}`, { subject });
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
