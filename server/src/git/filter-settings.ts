import type { GitSetting } from "./git-environment.ts";
import type { GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { splitNul } from "./raw-diff.ts";

/**
 * Settings that switch off the filters which the repository itself configures: git would run their commands to compare
 * a file with the index. Those of the server's user and machine (Git LFS) stay, since a repository only names them.
 */
export async function filterSettings(
  git: GitReader,
  directory: GitDirectory,
  signal: AbortSignal | undefined,
): Promise<GitSetting[]> {
  const args = ["config", "--show-scope", "-z", "--get-regexp", "^filter\\."];
  const { stdout } = await git.run({ args, directory, signal });
  const values = splitNul(stdout);
  const names = new Set<string>();
  for (let index = 0; index + 1 < values.length; index += 2) {
    const scope = values[index]?.toString("latin1");
    // "filter.<name>.clean\n<value>", where the name may hold dots and anything else.
    const key = values[index + 1]?.toString("utf8").split("\n", 1)[0] ?? "";
    const name = /^filter\.(.*)\.[^.]*$/s.exec(key)?.[1];
    if (name !== undefined && (scope === "local" || scope === "worktree")) names.add(name);
  }
  return [...names].flatMap((name): GitSetting[] => [
    [`filter.${name}.clean`, ""],
    [`filter.${name}.smudge`, ""],
    [`filter.${name}.process`, ""],
    [`filter.${name}.required`, "false"],
  ]);
}
