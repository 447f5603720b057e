import type { GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { readFailure } from "./read-failure.ts";

/** The commits that these names mean, in one process; undefined for a name that means none. */
export async function resolveCommits(
  git: GitReader,
  directory: GitDirectory,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<(string | undefined)[]> {
  const output = await git.run({
    args: ["cat-file", "--batch-check=%(objectname)"],
    directory,
    stdin: Buffer.from(names.map((name) => `${isName(name) ? name : "?"}^{commit}\n`).join("")),
    signal,
  });
  if (output.exitCode !== 0) throw readFailure(output, directory);
  const lines = output.stdout.toString("utf8").split("\n");
  return names.map((_, index) => {
    const line = lines[index] ?? "";
    return /^[0-9a-f]{40,64}$/.test(line) ? line : undefined;
  });
}

/** Whether a name fits on a line of its own; no name of git's holds a control character. */
function isName(name: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return name !== "" && !/[\0-\x1f\x7f]/.test(name);
}
