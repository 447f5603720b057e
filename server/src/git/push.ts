import type { PathBytes } from "../files/path-bytes.ts";
import { FailedPrecondition, InvalidRequest } from "../util/errors.ts";
import { secretsOf } from "./credentials.ts";
import type { RefUpdate } from "./fetch.ts";
import type { GitDirectory } from "./git-directory.ts";
import { gitWords } from "./read-failure.ts";
import { describeObjects } from "./read-objects.ts";
import { redact } from "./redact.ts";
import { checkName, findRemote } from "./remotes.ts";
import { inRepository, readHead, runWithRemote, type RemoteConduct, type VerbTools } from "./verb-context.ts";
import type { VerbOutput } from "./verb-runner.ts";

export type PushForce = "WITH_LEASE" | "ALWAYS" | undefined;

export interface PushTask {
  readonly path: PathBytes;
  /** Empty: the usual one. */
  readonly remote: string;
  /** None: the current branch. */
  readonly refspecs: readonly string[];
  readonly setUpstream: boolean;
  readonly tags: boolean;
  readonly force: PushForce;
}

/** Brings a remote's branches and tags up to date with ours. */
export async function push(tools: VerbTools, task: PushTask, conduct: RemoteConduct): Promise<RefUpdate[]> {
  const { signal } = conduct;
  return await inRepository(tools, task.path, signal, async (directory) => {
    const remote = await findRemote(tools.git, directory, task.remote, "push", signal);
    const refspecs =
      task.refspecs.length > 0 ? task.refspecs.map(checkRefspec) : [await currentBranch(tools, directory)];
    const args = ["push", "--porcelain", "--progress"];
    if (task.setUpstream) args.push("--set-upstream");
    if (task.tags) args.push("--tags");
    if (task.force === "WITH_LEASE") args.push("--force-with-lease");
    if (task.force === "ALWAYS") args.push("--force");
    const input = { args: [...args, "--", remote.name, ...refspecs] };
    // Git tells the refs apart from how the connection fared.
    const isAnswered = (output: VerbOutput): boolean =>
      output.exitCode === 0 || parsePushed(output.stdout).some(isRejected);
    const output = await runWithRemote(tools, directory, remote, conduct, input, isAnswered);
    const pushed = parsePushed(output.stdout);
    const rejected = pushed.filter(isRejected);
    if (rejected.length > 0)
      throw pushRejected(rejected, redact(gitWords(output.stderr), secretsOf(conduct.credentials)));
    return await toUpdates(
      tools,
      directory,
      pushed.filter(({ flag }) => flag !== "="),
    );
  });
}

function checkRefspec(refspec: string): string {
  if (refspec.startsWith("+")) {
    throw new InvalidRequest("INVALID_FIELD", 'refspecs forces with a "+"; `force` is there for that', {
      subject: "refspecs",
    });
  }
  return checkName("refspecs", refspec);
}

async function currentBranch(tools: VerbTools, directory: GitDirectory): Promise<string> {
  const { branch } = await readHead(tools, directory);
  if (branch !== "") return `refs/heads/${branch}`;
  throw new FailedPrecondition("GIT_FAILED", "HEAD is on no branch that could be pushed", {
    subject: "HEAD",
    remedy: "Name what to push in refspecs.",
  });
}

interface Pushed {
  readonly flag: string;
  readonly source: string;
  readonly target: string;
  readonly summary: string;
}

/** Reads `git push --porcelain`: "*\trefs/heads/main:refs/heads/main\t[new branch]". */
function parsePushed(stdout: string): Pushed[] {
  return [...stdout.matchAll(/^([ +*=!-])\t([^:\t\n]*):([^\t\n]+)\t(.*)$/gm)].map(
    ([, flag = "", source = "", target = "", summary = ""]) => ({ flag, source, target, summary }),
  );
}

function isRejected({ flag }: Pushed): boolean {
  return flag === "!";
}

function pushRejected(rejected: readonly Pushed[], words: string): FailedPrecondition {
  const reasons = rejected.map(({ target, summary }) => `${target} ${summary}`).join("; ");
  const isBehind = rejected.some(({ summary }) => /fetch first|non-fast-forward|stale info/.test(summary));
  return new FailedPrecondition(
    "PUSH_REJECTED",
    `The remote does not take the push: ${reasons}. ${words}`.slice(0, 1000),
    {
      subject: rejected[0]?.target ?? "",
      remedy: isBehind ? "Pull what the remote has first." : "See what the remote says.",
    },
  );
}

/** Git tells ids cut short, and none of what is new. */
async function toUpdates({ git }: VerbTools, directory: GitDirectory, pushed: readonly Pushed[]): Promise<RefUpdate[]> {
  const names = pushed.flatMap(({ source, summary }) => {
    const old = /^([0-9a-f]{4,64})\.\.\.?[0-9a-f]{4,64}/.exec(summary)?.[1] ?? "?";
    return [Buffer.from(old), Buffer.from(source === "" ? "?" : source)];
  });
  const objects = names.length === 0 ? [] : await describeObjects(git, directory, names, undefined);
  return pushed.map(({ target }, index) => ({
    refName: target,
    oldId: objects[index * 2]?.id ?? "",
    newId: objects[index * 2 + 1]?.id ?? "",
  }));
}
