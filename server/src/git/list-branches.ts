import type { PathBytes } from "../files/path-bytes.ts";
import type { Paths } from "../files/place.ts";
import { checkConfinement } from "./confinement.ts";
import { withGitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { readFailure } from "./read-failure.ts";

export interface Branch {
  readonly name: string;
  readonly refName: string;
  readonly commitId: string;
  readonly subject: string;
  readonly timeSeconds: number;
  readonly current: boolean;
  readonly remote: boolean;
  readonly upstream: string;
  readonly upstreamGone: boolean;
  readonly ahead: number;
  readonly behind: number;
}

export interface BranchesQuestion {
  readonly path: PathBytes;
  readonly includeRemote: boolean;
  readonly signal: AbortSignal | undefined;
}

const FORMAT = [
  "refname",
  "refname:lstrip=2",
  "objectname",
  "HEAD",
  "symref",
  "upstream:lstrip=2",
  "upstream:track,nobracket",
  "committerdate:unix",
  "contents:subject",
]
  .map((name) => `%(${name})`)
  .join("%00");

/** Branches, sorted by their whole names. */
export async function listBranches(
  git: GitReader,
  paths: Paths,
  { path, includeRemote, signal }: BranchesQuestion,
): Promise<Branch[]> {
  return await withGitDirectory(paths, path, async (directory) => {
    await checkConfinement(git, paths, directory, signal);
    const patterns = ["refs/heads/", ...(includeRemote ? ["refs/remotes/"] : [])];
    const args = ["for-each-ref", "--sort=refname", `--format=${FORMAT}`, ...patterns];
    const output = await git.run({ args, directory, signal });
    if (output.exitCode !== 0) throw readFailure(output, directory);
    return output.stdout.toString("utf8").split("\n").filter(Boolean).flatMap(parseBranch);
  });
}

function parseBranch(line: string): Branch[] {
  const [refName = "", name = "", commitId = "", head, symref, upstream = "", track = "", time, subject = ""] =
    line.split("\0");
  // origin/HEAD is another name for a branch that is listed anyway.
  if (symref !== "") return [];
  return [
    {
      name,
      refName,
      commitId,
      subject,
      timeSeconds: Number(time),
      current: head === "*",
      remote: refName.startsWith("refs/remotes/"),
      upstream,
      upstreamGone: track === "gone",
      ahead: Number(/ahead (\d+)/.exec(track)?.[1] ?? 0),
      behind: Number(/behind (\d+)/.exec(track)?.[1] ?? 0),
    },
  ];
}
