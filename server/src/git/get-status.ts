import { access } from "node:fs/promises";
import { joinPath, splitPath } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import type { Paths } from "../files/place.ts";
import { checkConfinement } from "./confinement.ts";
import { readSettings } from "./read-settings.ts";
import { withGitDirectory, type GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { splitNul } from "./raw-diff.ts";
import { readFailure } from "./read-failure.ts";

export type FileState =
  "UNMODIFIED" | "ADDED" | "DELETED" | "MODIFIED" | "RENAMED" | "TYPE_CHANGED" | "UNTRACKED" | "IGNORED";

export type Underway = "MERGE" | "REBASE" | "CHERRY_PICK" | "REVERT" | "BISECT";

export interface StatusEntry {
  readonly path: PathBytes;
  readonly indexState: FileState;
  readonly worktreeState: FileState;
  readonly oldPath: PathBytes | undefined;
  readonly conflicted: boolean;
}

export interface StatusAnswer {
  readonly branch: string;
  readonly headId: string;
  readonly upstream: string;
  readonly ahead: number;
  readonly behind: number;
  readonly underway: Underway | undefined;
  readonly topLevel: PathBytes;
  /** Sorted by the bytes of their paths. */
  readonly entries: readonly StatusEntry[];
}

export interface StatusQuestion {
  readonly path: PathBytes;
  readonly includeIgnored: boolean;
  readonly signal: AbortSignal | undefined;
}

/** How a repository stands, and what below a directory is not as HEAD and the index have it. */
export async function getStatus(git: GitReader, paths: Paths, question: StatusQuestion): Promise<StatusAnswer> {
  return await withGitDirectory(paths, question.path, async (directory) => {
    const { signal, includeIgnored } = question;
    await checkConfinement(git, paths, directory, signal);
    const { settings } = await readSettings(git, directory, signal);
    const [output, topLevel, underway] = await Promise.all([
      git.run({ args: statusArguments(includeIgnored), directory, settings, signal }),
      askForPath(git, directory, "--show-toplevel", signal),
      findUnderway(git, directory, signal),
    ]);
    if (output.exitCode !== 0) throw readFailure(output, directory);
    const prefix = splitPath(directory.realPath).length - splitPath(topLevel).length;
    return { ...parseStatus(output.stdout, prefix), topLevel, underway };
  });
}

function statusArguments(includeIgnored: boolean): string[] {
  return [
    "status",
    "--porcelain=v2",
    "--branch",
    "-z",
    "--untracked-files=all",
    "--find-renames",
    "--ignore-submodules=dirty",
    ...(includeIgnored ? ["--ignored=traditional"] : []),
    "--",
    ".",
  ];
}

/** One path that `rev-parse` tells. */
async function askForPath(
  git: GitReader,
  directory: GitDirectory,
  option: string,
  signal: AbortSignal | undefined,
): Promise<PathBytes> {
  const output = await git.run({ args: ["rev-parse", option], directory, signal });
  if (output.exitCode !== 0) throw readFailure(output, directory);
  return output.stdout.subarray(0, -1);
}

const TRACES: readonly (readonly [file: string, underway: Underway])[] = [
  ["rebase-merge", "REBASE"],
  ["rebase-apply", "REBASE"],
  ["MERGE_HEAD", "MERGE"],
  ["CHERRY_PICK_HEAD", "CHERRY_PICK"],
  ["REVERT_HEAD", "REVERT"],
  ["BISECT_LOG", "BISECT"],
];

async function findUnderway(
  git: GitReader,
  directory: GitDirectory,
  signal: AbortSignal | undefined,
): Promise<Underway | undefined> {
  const gitDirectory = await askForPath(git, directory, "--absolute-git-dir", signal);
  for (const [file, underway] of TRACES) {
    const isThere = await access(joinPath(gitDirectory, Buffer.from(file))).then(
      () => true,
      () => false,
    );
    if (isThere) return underway;
  }
  return undefined;
}

const STATES: Readonly<Record<string, FileState>> = {
  ".": "UNMODIFIED",
  M: "MODIFIED",
  T: "TYPE_CHANGED",
  A: "ADDED",
  D: "DELETED",
  R: "RENAMED",
  C: "ADDED",
  U: "MODIFIED",
};

/** How many fields stand before the path in each kind of line. */
const FIELDS: Readonly<Record<string, number>> = { "1": 8, "2": 9, u: 10, "?": 1, "!": 1 };

type Parsed = Omit<StatusAnswer, "topLevel" | "underway">;

/** Reads `git status --porcelain=v2 --branch -z`; paths lose their first `prefix` names, the asked directory's own. */
function parseStatus(output: Buffer, prefix: number): Parsed {
  const entries: StatusEntry[] = [];
  const header = new Map<string, string>();
  const lines = splitNul(output);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? Buffer.alloc(0);
    const kind = String.fromCharCode(line[0] ?? 0);
    if (kind === "#") {
      const [, name = "", value = ""] = /^# (\S+) (.*)$/.exec(line.toString("utf8")) ?? [];
      header.set(name, value);
      continue;
    }
    const state = line.toString("latin1", 2, 4);
    entries.push({
      path: below(afterFields(line, FIELDS[kind] ?? 1), prefix),
      ...statesOf(kind, state),
      oldPath: kind === "2" ? below(lines[++index] ?? Buffer.alloc(0), prefix) : undefined,
      conflicted: kind === "u",
    });
  }
  const [, ahead = "0", behind = "0"] = /^\+(\d+) -(\d+)$/.exec(header.get("branch.ab") ?? "") ?? [];
  const [branch, headId] = [header.get("branch.head") ?? "", header.get("branch.oid") ?? ""];
  return {
    branch: branch === "(detached)" ? "" : branch,
    headId: headId === "(initial)" ? "" : headId,
    upstream: header.get("branch.upstream") ?? "",
    ahead: Number(ahead),
    behind: Number(behind),
    entries: entries.toSorted((one, other) => Buffer.compare(one.path, other.path)),
  };
}

function statesOf(kind: string, state: string): Pick<StatusEntry, "indexState" | "worktreeState"> {
  if (kind === "?") return { indexState: "UNMODIFIED", worktreeState: "UNTRACKED" };
  if (kind === "!") return { indexState: "UNMODIFIED", worktreeState: "IGNORED" };
  return { indexState: STATES[state.charAt(0)] ?? "MODIFIED", worktreeState: STATES[state.charAt(1)] ?? "MODIFIED" };
}

function afterFields(line: Buffer, fields: number): Buffer {
  let at = 0;
  for (let field = 0; field < fields; field++) at = line.indexOf(SPACE, at) + 1;
  // An untracked directory that is a repository of its own.
  return line.at(-1) === SLASH ? line.subarray(at, -1) : line.subarray(at);
}

/** The path without its first names. */
function below(path: Buffer, names: number): Buffer {
  let at = 0;
  for (let name = 0; name < names; name++) at = path.indexOf(SLASH, at) + 1;
  return path.subarray(at);
}

const SPACE = 0x20;
const SLASH = 0x2f;
