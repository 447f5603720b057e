import type { GitSetting } from "./git-environment.ts";
import type { GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { splitNul } from "./raw-diff.ts";

/** What of a repository's own configuration a read has to know. */
export interface ReadSettings {
  /**
   * Switches off the filters which the repository itself configures: git would run their commands to compare a file with
   * the index. Those of the server's user and machine (Git LFS) stay, since a repository only names them.
   */
  readonly settings: readonly GitSetting[];
  /** Whether the modes of files and links on disk mean what they say; on some mounted volumes they do not. */
  readonly trustsModes: boolean;
}

export async function readSettings(
  git: GitReader,
  directory: GitDirectory,
  signal: AbortSignal | undefined,
): Promise<ReadSettings> {
  const args = ["config", "--show-scope", "-z", "--get-regexp", "^(filter\\..*|core\\.(filemode|symlinks))$"];
  const { stdout } = await git.run({ args, directory, signal });
  const values = splitNul(stdout);
  const names = new Set<string>();
  const core = new Map<string, string>();
  for (let index = 0; index + 1 < values.length; index += 2) {
    const scope = values[index]?.toString("latin1");
    // "filter.<name>.clean\n<value>", where the name may hold dots and anything else.
    const [key = "", value = ""] = values[index + 1]?.toString("utf8").split("\n", 2) ?? [];
    const name = /^filter\.(.*)\.[^.]*$/s.exec(key)?.[1];
    if (name === undefined) core.set(key, value);
    else if (scope === "local" || scope === "worktree") names.add(name);
  }
  return { settings: [...names].flatMap(withoutFilter), trustsModes: ![...core.values()].includes("false") };
}

function withoutFilter(name: string): GitSetting[] {
  return [
    [`filter.${name}.clean`, ""],
    [`filter.${name}.smudge`, ""],
    [`filter.${name}.process`, ""],
    [`filter.${name}.required`, "false"],
  ];
}
