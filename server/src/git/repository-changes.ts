import type { PathBytes } from "../files/path-bytes.ts";
import type { GitDirectory } from "./git-directory.ts";
import type { GitSetting } from "./git-environment.ts";
import type { GitReader } from "./git-reader.ts";
import { DIFF_ARGUMENTS, parseRawDiff, splitNul, type Change } from "./raw-diff.ts";
import { readFailure } from "./read-failure.ts";

const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
const TAB = 0x09;
/** "? path", "M 100644 <id> 1\tpath": what `ls-files -t` puts before a path. */
const TAG_LENGTH = 2;

/** What else than tracked, unchanged files lies below a directory. */
export interface OtherFiles {
  readonly untracked: readonly PathBytes[];
  /** Untracked directories that are repositories of their own. */
  readonly repositories: readonly PathBytes[];
  readonly unmerged: ReadonlySet<string>;
}

/**
 * How the tracked files below `directory` differ from a commit or tree; with a second commit or tree, how that one
 * differs from it.
 */
export async function trackedChanges(
  git: GitReader,
  directory: GitDirectory,
  ids: readonly string[],
  settings: readonly GitSetting[],
  signal: AbortSignal | undefined,
): Promise<Change[]> {
  const args = ["diff", "--raw", "-z", ...DIFF_ARGUMENTS, "--relative", ...ids, "--"];
  const output = await git.run({ args, directory, settings, signal });
  if (output.exitCode !== 0) throw readFailure(output, directory);
  return parseRawDiff(output.stdout).changes;
}

export async function otherFiles(
  git: GitReader,
  directory: GitDirectory,
  signal: AbortSignal | undefined,
): Promise<OtherFiles> {
  const args = ["ls-files", "-z", "-t", "--others", "--unmerged", "--exclude-standard"];
  const output = await git.run({ args, directory, signal });
  if (output.exitCode !== 0) throw readFailure(output, directory);
  const untracked: PathBytes[] = [];
  const repositories: PathBytes[] = [];
  const unmerged = new Set<string>();
  for (const line of splitNul(output.stdout)) {
    const path = line.subarray(TAG_LENGTH);
    if (line[0] !== QUESTION_MARK) unmerged.add(line.subarray(line.indexOf(TAB) + 1).toString("latin1"));
    // Git looks into untracked directories, but for those that are repositories.
    else if (path.at(-1) === SLASH) repositories.push(path.subarray(0, -1));
    else untracked.push(path);
  }
  return { untracked, repositories, unmerged };
}

/**
 * One change a path: an untracked file is new, or takes the place of one of the base that left the index but not the
 * disk, or that was renamed away.
 */
export function mergeChanges(tracked: readonly Change[], { untracked, unmerged }: OtherFiles): Change[] {
  const byPath = new Map(tracked.map((change) => [change.path.toString("latin1"), change]));
  const renamed = new Map(tracked.map((change) => [change.oldPath?.toString("latin1"), change]));
  for (const [key, change] of byPath) {
    if (unmerged.has(key)) byPath.set(key, { ...change, conflicted: true });
  }
  for (const path of untracked) {
    const key = path.toString("latin1");
    const before = byPath.get(key) ?? renamed.get(key);
    const status = before === undefined ? "ADDED" : "UPDATED";
    byPath.set(key, { ...newFile(path), status, oldMode: before?.oldMode ?? 0, oldId: before?.oldId ?? "" });
  }
  return [...byPath.values()];
}

function newFile(path: PathBytes): Change {
  return {
    path,
    status: "ADDED",
    oldPath: undefined,
    similarity: 0,
    oldMode: 0,
    newMode: 0,
    oldId: "",
    untracked: true,
    conflicted: false,
  };
}
