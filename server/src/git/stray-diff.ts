import type { DiskFile } from "./disk-file.ts";
import { patch, type DiffContext, type FileChange } from "./file-change.ts";
import type { GitReader } from "./git-reader.ts";
import type { LocatedFile } from "./locate-file.ts";
import { DIFF_ARGUMENTS, parseRawDiff } from "./raw-diff.ts";
import { readFailure } from "./read-failure.ts";
import type { ObjectInfo } from "./read-objects.ts";

const dash = Buffer.from("-");

/** The change of a file on disk that git does not track, against a blob of the base or against nothing. */
export async function strayDiff(
  git: GitReader,
  { directory, path }: LocatedFile,
  before: ObjectInfo | undefined,
  disk: DiskFile,
  { contextLines, settings, signal }: DiffContext,
): Promise<FileChange | undefined> {
  const format = ["--raw", "--numstat", "--patch", "-z", `--unified=${contextLines}`];
  const output = await git.run({
    args: [
      "diff",
      ...format,
      ...DIFF_ARGUMENTS,
      ...(before === undefined ? ["--no-index", "--", "/dev/null"] : [before.id, "--"]),
    ],
    // "-" alone would be standard input.
    paths: [path.equals(dash) ? Buffer.from("./-") : path],
    directory,
    settings,
    signal,
  });
  // With --no-index the code says whether the two differ; by way of xargs any code is 123.
  if (output.stdout.length === 0 && output.exitCode !== 0) throw readFailure(output, directory);
  const { changes, rest } = parseRawDiff(output.stdout);
  const [change] = changes;
  if (change === undefined) return undefined;
  return {
    change: { ...change, status: before === undefined ? "ADDED" : "UPDATED", newMode: disk.mode },
    oldPath: undefined,
    isBinary: rest.subarray(0, 4).equals(Buffer.from("-\t-\t")),
    unifiedDiff: patch(rest),
  };
}
