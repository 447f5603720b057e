import { joinPath, splitPath } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import { patch, type DiffContext, type FileChange } from "./file-change.ts";
import { findTopLevel } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import type { LocatedFile } from "./locate-file.ts";
import { DIFF_ARGUMENTS, parseRawDiff } from "./raw-diff.ts";
import { readFailure } from "./read-failure.ts";

const BINARY = Buffer.from("-\t-\t");

/**
 * The change of a file on disk against a blob ("<commit>:<path>") or, without one, against nothing. The index has no part
 * in it: git takes time for every file of the repository where it compares one of them by way of the index.
 */
export async function directChange(
  git: GitReader,
  file: LocatedFile,
  before: Buffer | undefined,
  { contextLines, settings, signal }: DiffContext,
): Promise<FileChange | undefined> {
  const { directory, path } = before === undefined ? await fromTopLevel(file) : file;
  const output = await git.run({
    args: ["diff", "--raw", "--numstat", "--patch", "-z", `--unified=${contextLines}`, ...DIFF_ARGUMENTS],
    paths: before === undefined ? againstNothing(path) : [before, Buffer.from("--"), literal(path)],
    directory,
    settings,
    signal,
  });
  // With --no-index the code says whether the two differ; by way of xargs any code is 123.
  if (output.stdout.length === 0 && output.exitCode !== 0) throw readFailure(output, directory);
  const { changes, rest } = parseRawDiff(output.stdout);
  const [change] = changes;
  if (change === undefined) return undefined;
  const isBinary = rest.subarray(0, BINARY.length).equals(BINARY);
  return { change, oldPath: undefined, isBinary, unifiedDiff: patch(rest) };
}

/**
 * The file as seen from the top of its repository, which git would otherwise know nothing of here: by its whole name it
 * has that name in the diff, and the attributes that are meant for it.
 */
async function fromTopLevel({ directory, path }: LocatedFile): Promise<LocatedFile> {
  const topLevel = await findTopLevel(directory.realPath);
  if (topLevel === undefined) return { directory, path };
  const below = splitPath(directory.realPath).slice(splitPath(topLevel).length);
  return {
    directory: { ...directory, cwd: `${directory.cwd}/${"../".repeat(below.length)}` },
    path: joinPath(
      below.reduce((above, name) => joinPath(above, name), Buffer.alloc(0)),
      path,
    ),
  };
}

function literal(path: PathBytes): PathBytes {
  return Buffer.concat([Buffer.from(":(literal)"), path]);
}

/** Here paths are no patterns, and "-" alone would be standard input. */
function againstNothing(path: PathBytes): PathBytes[] {
  const name = path.equals(Buffer.from("-")) ? Buffer.from("./-") : path;
  return [...["--no-index", "--", "/dev/null"].map((argument) => Buffer.from(argument)), name];
}
