import type { PathBytes } from "../files/path-bytes.ts";
import type { Paths } from "../files/place.ts";
import { checkConfinement } from "./confinement.ts";
import { withGitDirectory, type GitDirectory } from "./git-directory.ts";
import type { GitOutput, GitReader } from "./git-reader.ts";
import { splitNul } from "./raw-diff.ts";
import { readFailure, refNotFound } from "./read-failure.ts";

export interface Signature {
  readonly name: string;
  readonly email: string;
  readonly timeSeconds: number;
}

export interface Commit {
  readonly id: string;
  readonly shortId: string;
  readonly parentIds: readonly string[];
  readonly subject: string;
  readonly body: string;
  readonly author: Signature;
  readonly committer: Signature;
}

/** Where a page begins: so many commits after these, which do not move as a branch does. */
export interface CommitsStart {
  readonly tips: readonly string[];
  readonly skip: number;
}

export interface CommitsQuestion {
  readonly path: PathBytes;
  /** A revision or a range; undefined: HEAD. */
  readonly revision: string | undefined;
  readonly changedPath: PathBytes | undefined;
  /** Undefined: the first page. */
  readonly start: CommitsStart | undefined;
  readonly count: number;
  readonly signal: AbortSignal | undefined;
}

export interface CommitsAnswer {
  readonly commits: readonly Commit[];
  readonly start: CommitsStart;
  readonly hasMore: boolean;
}

export const COMMIT_FORMAT = "%H%x00%h%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%s%x00%b";
const FIELDS = 11;
const MOST_BODY_BYTES = 16 * 1024;

/** Commits, newest first. */
export async function listCommits(git: GitReader, paths: Paths, question: CommitsQuestion): Promise<CommitsAnswer> {
  const { path, revision, changedPath, count, signal } = question;
  return await withGitDirectory(paths, path, async (directory) => {
    await checkConfinement(git, paths, directory, signal);
    const start = question.start ?? { tips: await resolveTips(git, directory, revision, signal), skip: 0 };
    if (start.tips.length === 0) return { commits: [], start, hasMore: false };
    const range = [`--skip=${start.skip}`, `--max-count=${count + 1}`, ...start.tips, "--"];
    const output = await git.run({
      args: [
        "log",
        "-z",
        "--no-show-signature",
        "--no-color",
        "--encoding=UTF-8",
        `--format=${COMMIT_FORMAT}`,
        ...range,
      ],
      paths: changedPath === undefined ? [] : [Buffer.concat([Buffer.from(":(literal)"), changedPath])],
      directory,
      signal,
    });
    if (output.exitCode !== 0) throw readFailure(output, directory);
    const commits = parseCommits(output.stdout);
    return { commits: commits.slice(0, count), start, hasMore: commits.length > count };
  });
}

/** The ids that a revision or range means, those to leave out with a "^" before; none where there is no commit yet. */
async function resolveTips(
  git: GitReader,
  directory: GitDirectory,
  revision: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  if (revision?.startsWith("-") === true) throw refNotFound(revision);
  const run = (...args: string[]): Promise<GitOutput> => git.run({ args: ["rev-parse", ...args], directory, signal });
  const output = await run(...(revision === undefined ? ["-q", "--verify", "HEAD^{commit}"] : [revision, "--"]));
  if (output.exitCode === 0) {
    const ids = output.stdout.toString("latin1").split("\n");
    return ids.filter((id) => /^\^?[0-9a-f]{40,64}$/.test(id));
  }
  const repository = await run("--git-dir");
  if (repository.exitCode !== 0) throw readFailure(repository, directory);
  if (revision === undefined || revision === "HEAD") return [];
  throw refNotFound(revision);
}

/** Reads what `git log -z --format=COMMIT_FORMAT` prints. */
export function parseCommits(output: Buffer): Commit[] {
  const values = splitNul(output);
  const commits: Commit[] = [];
  for (let at = 0; at + FIELDS <= values.length; at += FIELDS) {
    const text = (field: number): string => values[at + field]?.toString("utf8") ?? "";
    commits.push({
      id: text(0),
      shortId: text(1),
      parentIds: text(2).split(" ").filter(Boolean),
      author: { name: text(3), email: text(4), timeSeconds: Number(text(5)) },
      committer: { name: text(6), email: text(7), timeSeconds: Number(text(8)) },
      subject: text(9),
      body: values[at + 10]?.toString("utf8", 0, MOST_BODY_BYTES).trimEnd() ?? "",
    });
  }
  return commits;
}
