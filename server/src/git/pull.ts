import type { PathBytes } from "../files/path-bytes.ts";
import { InvalidRequest } from "../util/errors.ts";
import { checkName, findRemote } from "./remotes.ts";
import {
  inRepository,
  readHead,
  runWithRemote,
  type Head,
  type RemoteConduct,
  type VerbTools,
} from "./verb-context.ts";

export type PullStrategy = "FAST_FORWARD_ONLY" | "MERGE" | "REBASE";

export interface PullTask {
  readonly path: PathBytes;
  /** Empty: what the current branch follows. */
  readonly remote: string;
  /** Empty: what the current branch follows. */
  readonly remoteBranch: string;
  readonly strategy: PullStrategy;
}

export interface PullResult extends Head {
  readonly oldId: string;
}

const STRATEGY_ARGUMENTS: Readonly<Record<PullStrategy, readonly string[]>> = {
  FAST_FORWARD_ONLY: ["--ff-only"],
  // The first for a user who configured rebasing, the second for one who configured fast-forwards alone.
  MERGE: ["--no-rebase", "--ff"],
  REBASE: ["--rebase"],
};

/** Fetches, and brings the current branch up to date. */
export async function pull(tools: VerbTools, task: PullTask, conduct: RemoteConduct): Promise<PullResult> {
  const { signal } = conduct;
  if (task.remoteBranch !== "" && task.remote === "") {
    throw new InvalidRequest("MISSING_FIELD", "remote must be set where remote_branch is", { subject: "remote" });
  }
  return await inRepository(tools, task.path, signal, async (directory) => {
    const remote = await findRemote(tools.git, directory, task.remote, "fetch", signal);
    const before = await readHead(tools, directory);
    const which = task.remoteBranch === "" ? [] : [checkName("remote_branch", task.remoteBranch)];
    const args = ["pull", "--progress", "--no-edit", ...STRATEGY_ARGUMENTS[task.strategy]];
    const from = task.remote === "" ? [] : ["--", remote.name, ...which];
    await runWithRemote(tools, directory, remote, conduct, { args: [...args, ...from] });
    return { oldId: before.id, ...(await readHead(tools, directory)) };
  });
}
