import type { GitDirectory } from "./git-directory.ts";
import { readBranch } from "./read-branch.ts";
import type { GitOutput, GitReader } from "./git-reader.ts";
import { readFailure, refNotFound } from "./read-failure.ts";
import { resolveCommits } from "./resolve-commits.ts";

export type BaseChoice =
  | "REQUESTED"
  | "REMOTE_BRANCH"
  | "REMOTE_FORK_POINT"
  | "REMOTE_DEFAULT"
  | "LOCAL_DEFAULT"
  | "HEAD"
  | "EMPTY"
  | "PARENT";

/** What files are compared with. */
export interface Base {
  /** A commit, or a tree. */
  readonly id: string;
  readonly choice: BaseChoice;
  readonly headId: string | undefined;
  /**
   * Set where HEAD is what origin has of the branch: then the id is HEAD, and where no tracked file differs from it,
   * this is the base instead.
   */
  readonly whenClean?: Base;
}

/** The base that the contract's ListChanges describes, from what is known here: no network is asked. */
export async function chooseBase(
  git: GitReader,
  directory: GitDirectory,
  ref: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Base> {
  const run = (args: readonly string[]): Promise<GitOutput> => git.run({ args, directory, signal });
  const resolve = (names: readonly string[]): Promise<(string | undefined)[]> =>
    resolveCommits(git, directory, names, signal);
  const [asked, head] = ref === undefined ? [] : await resolve([ref, "HEAD"]);
  if (asked !== undefined) return { id: asked, choice: "REQUESTED", headId: head };
  if (ref !== undefined && ref !== "HEAD") throw refNotFound(ref);

  const branch = (await readBranch(directory)) ?? (await askBranch(directory, run));

  const names = [
    "HEAD",
    branch === "" ? "" : `refs/remotes/origin/${branch}`,
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    branch === "main" ? "" : "refs/heads/main",
    branch === "master" ? "" : "refs/heads/master",
  ];
  const [headId, remoteBranch, ...others] = await resolve(names);
  if (headId === undefined) return { id: await emptyTree(git, directory, signal), choice: "EMPTY", headId };
  if (remoteBranch !== undefined && remoteBranch !== headId)
    return { id: remoteBranch, choice: "REMOTE_BRANCH", headId };

  const [remoteHead, remoteMain, remoteMaster, localMain, localMaster] = others;
  const remoteDefault = remoteHead ?? remoteMain ?? remoteMaster ?? (await onlyRemoteBranch(run));
  const otherwise =
    remoteDefault === undefined
      ? await localBase(headId, [localMain, localMaster], run)
      : await remoteBase(headId, remoteDefault, run);
  if (remoteBranch === undefined) return otherwise;
  const base: Base = { id: headId, choice: "REMOTE_BRANCH", headId };
  return otherwise.id === headId ? base : { ...base, whenClean: otherwise };
}

type Run = (args: readonly string[]) => Promise<GitOutput>;

/** The current branch; empty where HEAD is on none. */
async function askBranch(directory: GitDirectory, run: Run): Promise<string> {
  const symbolic = await run(["symbolic-ref", "-q", "HEAD"]);
  if (symbolic.exitCode > 1) throw readFailure(symbolic, directory);
  const name = symbolic.stdout.toString("utf8").trim();
  return name.replace(/^refs\/heads\//, "");
}

async function remoteBase(headId: string, remoteDefault: string, run: Run): Promise<Base> {
  const forkPoint = await mergeBase(headId, remoteDefault, run);
  if (forkPoint !== undefined) return { id: forkPoint, choice: "REMOTE_FORK_POINT", headId };
  return { id: remoteDefault, choice: "REMOTE_DEFAULT", headId };
}

async function localBase(headId: string, candidates: readonly (string | undefined)[], run: Run): Promise<Base> {
  for (const candidate of candidates) {
    if (candidate === undefined || candidate === headId) continue;
    if ((await mergeBase(headId, candidate, run)) === candidate)
      return { id: candidate, choice: "LOCAL_DEFAULT", headId };
  }
  return { id: headId, choice: "HEAD", headId };
}

async function mergeBase(one: string, other: string, run: Run): Promise<string | undefined> {
  if (one === other) return one;
  const { stdout, exitCode } = await run(["merge-base", one, other]);
  return exitCode === 0 ? stdout.toString("latin1").trim() : undefined;
}

/** The commit of origin's branch where it has one alone. */
async function onlyRemoteBranch(run: Run): Promise<string | undefined> {
  const { stdout } = await run(["for-each-ref", "--count=2", "--format=%(objectname)", "refs/remotes/origin/"]);
  const ids = stdout.toString("latin1").split("\n").filter(Boolean);
  return ids.length === 1 ? ids[0] : undefined;
}

/** The id of the empty tree, which depends on the repository's hash. Nothing is written. */
export async function emptyTree(
  git: GitReader,
  directory: GitDirectory,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { stdout } = await git.run({ args: ["hash-object", "-t", "tree", "/dev/null"], directory, signal });
  return stdout.toString("latin1").trim();
}
