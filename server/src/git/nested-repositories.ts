import { lstat, readdir } from "node:fs/promises";
import { isDotDot, joinPath, splitPath } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import { dotGit, exists, findTopLevel, type GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { splitNul } from "./raw-diff.ts";

const DOT = 0x2e;
const LINE_FEED = 0x0a;
const gitModules = Buffer.from(".gitmodules");

/**
 * The repositories below `directory`, relative to it: those that git found untracked, those one level down, hidden
 * names left out, and submodules at any depth. Links are not followed.
 */
export async function nestedRepositories(
  git: GitReader,
  directory: GitDirectory,
  untracked: readonly PathBytes[],
  signal: AbortSignal | undefined,
): Promise<PathBytes[]> {
  const candidates = [
    ...untracked,
    ...(await childDirectories(directory)),
    ...(await submodulePaths(git, directory, signal)),
  ];
  const byName = new Map(candidates.map((path) => [path.toString("latin1"), path]));
  const isRepository = await Promise.all([...byName.values()].map((path) => hasGitDirectory(directory, path)));
  return [...byName.values()].filter((_, index) => isRepository[index]);
}

async function hasGitDirectory(directory: GitDirectory, path: PathBytes): Promise<boolean> {
  const at = joinPath(Buffer.from(directory.cwd), path);
  const isDirectory = await lstat(at).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isDirectory && (await exists(joinPath(at, dotGit)));
}

async function childDirectories({ cwd }: GitDirectory): Promise<PathBytes[]> {
  const entries = await readdir(cwd, { withFileTypes: true, encoding: "buffer" });
  return entries.filter((entry) => entry.isDirectory() && entry.name[0] !== DOT).map(({ name }) => Buffer.from(name));
}

/** The paths that `.gitmodules` names below the directory. It is a file like any other: what leads out is left out. */
async function submodulePaths(
  git: GitReader,
  directory: GitDirectory,
  signal: AbortSignal | undefined,
): Promise<PathBytes[]> {
  const topLevel = await findTopLevel(directory.realPath);
  if (topLevel === undefined || !(await exists(joinPath(topLevel, gitModules)))) return [];
  const prefix = splitPath(directory.realPath).slice(splitPath(topLevel).length);
  const file = `${"../".repeat(prefix.length)}.gitmodules`;
  const args = ["config", "--no-includes", "-z", "--file", file, "--get-regexp", "^submodule\\..*\\.path$"];
  const { stdout } = await git.run({ args, directory, signal });
  return splitNul(stdout).flatMap((entry) => {
    const names = splitPath(entry.subarray(entry.indexOf(LINE_FEED) + 1));
    const isBelow = names.length > prefix.length && prefix.every((name, index) => names[index]?.equals(name) === true);
    if (!isBelow || names.some(isDotDot)) return [];
    const below = names.slice(prefix.length);
    return [below.reduce((path, name) => joinPath(path, name))];
  });
}
