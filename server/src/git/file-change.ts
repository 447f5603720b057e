import { joinPath, parentPath, splitPath } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import type { GitSetting } from "./git-environment.ts";
import type { GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { normalized, type LocatedFile } from "./locate-file.ts";
import { DIFF_ARGUMENTS, parseRawDiff, type Change } from "./raw-diff.ts";
import { readFailure } from "./read-failure.ts";

/** How git sees the change of one file. */
export interface FileChange {
  /** Its paths are relative to the repository. */
  readonly change: Change;
  /** The path that it had before, relative to the directory that it lies in now. */
  readonly oldPath: PathBytes | undefined;
  readonly isBinary: boolean;
  readonly unifiedDiff: Buffer;
}

export interface DiffContext {
  /** A commit or tree, which is compared with the disk, or two of them. */
  readonly ids: readonly string[];
  readonly contextLines: number;
  readonly settings: readonly GitSetting[];
  readonly signal: AbortSignal | undefined;
}

/** Files past this size are binary to git here, so that no diff of them is made. */
export const LARGEST_TEXT_BYTES = 64 * 1024 * 1024;

const TEXT_SETTINGS: readonly GitSetting[] = [["core.bigFileThreshold", String(LARGEST_TEXT_BYTES)]];
const BINARY = Buffer.from("-\t-\t");

/** How git sees the change of one file; undefined where it sees none. */
export async function fileChange(
  git: GitReader,
  file: LocatedFile,
  context: DiffContext,
): Promise<FileChange | undefined> {
  const found = await diffOf(git, file.directory, exactly(file.path), context);
  if (found?.change.status !== "ADDED") return found;
  // Git pairs what was renamed only where it sees both names.
  const { path } = found.change;
  const change = await changeAmongAll(git, file.directory, path, context);
  return (change?.oldPath && (await movedChange(git, file, path, change.oldPath, context))) ?? found;
}

/** The change of a file that had another name before; paths are relative to the repository. */
export async function movedChange(
  git: GitReader,
  file: LocatedFile,
  path: PathBytes,
  oldPath: PathBytes,
  context: DiffContext,
): Promise<FileChange | undefined> {
  const both = [...exactly(file.path), ...exactly(oldPath, "top,")];
  const moved = await diffOf(git, file.directory, both, context);
  if (moved?.change.status !== "MOVED") return undefined;
  return { ...moved, oldPath: relativePath(parentPath(rooted(path)), rooted(oldPath)) };
}

/**
 * Git reads exactly this path, and nothing below it where it has become a directory. The second is a pattern, since a
 * literal one that ends with a slash would leave out a submodule, too.
 */
export function exactly(path: PathBytes, magic = ""): PathBytes[] {
  const pattern = Buffer.from(path.toString("latin1").replace(/[*?[\\]/g, "\\$&"), "latin1");
  return [
    Buffer.concat([Buffer.from(`:(${magic}literal)`), path]),
    Buffer.concat([Buffer.from(`:(${magic}exclude,glob)`), pattern, Buffer.from("/**")]),
  ];
}

export async function diffOf(
  git: GitReader,
  directory: GitDirectory,
  paths: readonly PathBytes[],
  { ids, contextLines, settings, signal }: DiffContext,
): Promise<FileChange | undefined> {
  const format = ["--raw", "--numstat", "--patch", "-z", `--unified=${contextLines}`];
  const output = await git.run({
    args: ["diff", ...format, ...DIFF_ARGUMENTS, "--no-relative", ...ids, "--"],
    paths,
    directory,
    settings: [...settings, ...TEXT_SETTINGS],
    signal,
  });
  if (output.exitCode !== 0) throw readFailure(output, directory);
  const { changes, rest } = parseRawDiff(output.stdout);
  const [change] = changes;
  if (change === undefined || changes.length > 1) return undefined;
  return {
    change,
    oldPath: undefined,
    isBinary: rest.subarray(0, BINARY.length).equals(BINARY),
    unifiedDiff: patch(rest),
  };
}

/** The patch behind the numbers of lines, from which an empty field parts it. */
export function patch(rest: Buffer): Buffer {
  const end = rest.indexOf("\0\0");
  return end === -1 ? Buffer.alloc(0) : rest.subarray(end + 2);
}

/** What becomes of a file where git looks at the whole repository; the path is relative to that. */
export async function changeAmongAll(
  git: GitReader,
  directory: GitDirectory,
  path: PathBytes,
  { ids, settings, signal }: DiffContext,
): Promise<Change | undefined> {
  const args = ["diff", "--raw", "-z", ...DIFF_ARGUMENTS, "--no-relative", ...ids, "--"];
  const output = await git.run({ args, directory, settings, signal });
  if (output.exitCode !== 0) throw readFailure(output, directory);
  return parseRawDiff(output.stdout).changes.find((change) => change.path.equals(path));
}

function relativePath(from: PathBytes, to: PathBytes): PathBytes {
  const [above, below] = [splitPath(from), splitPath(to)];
  let common = 0;
  while (common < above.length && above[common]?.equals(below[common] ?? Buffer.alloc(0)) === true) common++;
  const up = above.slice(common).map(() => Buffer.from(".."));
  return normalized([...up, ...below.slice(common)].reduce((path, name) => joinPath(path, name)));
}

function rooted(path: PathBytes): PathBytes {
  return Buffer.concat([Buffer.from("/"), path]);
}
