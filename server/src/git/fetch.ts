import type { PathBytes } from "../files/path-bytes.ts";
import { InvalidRequest } from "../util/errors.ts";
import type { GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { readFailure } from "./read-failure.ts";
import { checkName, findRemote } from "./remotes.ts";
import { inRepository, runWithRemote, type RemoteConduct, type VerbTools } from "./verb-context.ts";

export interface FetchTask {
  readonly path: PathBytes;
  /** Empty: the usual one. */
  readonly remote: string;
  readonly refspecs: readonly string[];
  readonly prune: boolean;
  readonly tags: boolean;
  /** 0: as it is. */
  readonly depth: number;
  readonly unshallow: boolean;
}

/** A branch or tag that was moved, made or removed; an id is empty where there was or is none. */
export interface RefUpdate {
  readonly refName: string;
  readonly oldId: string;
  readonly newId: string;
}

/** Brings a remote's branches and tags up to date here. */
export async function fetch(tools: VerbTools, task: FetchTask, conduct: RemoteConduct): Promise<RefUpdate[]> {
  const { signal } = conduct;
  if (task.depth > 0 && task.unshallow) {
    throw new InvalidRequest("INVALID_FIELD", "depth and unshallow cannot both be set", { subject: "unshallow" });
  }
  return await inRepository(tools, task.path, signal, async (directory) => {
    const remote = await findRemote(tools.git, directory, task.remote, "fetch", signal);
    const before = await readRefs(tools.git, directory);
    const args = ["fetch", "--progress"];
    if (task.prune) args.push("--prune");
    if (task.tags) args.push("--tags");
    if (task.depth > 0) args.push(`--depth=${task.depth}`);
    // Git refuses it where there is nothing to bring.
    if (task.unshallow && (await isShallow(tools.git, directory))) args.push("--unshallow");
    const refspecs = task.refspecs.map((refspec) => checkName("refspecs", refspec));
    await runWithRemote(tools, directory, remote, conduct, { args: [...args, "--", remote.name, ...refspecs] });
    return updatesBetween(before, await readRefs(tools.git, directory));
  });
}

async function isShallow(git: GitReader, directory: GitDirectory): Promise<boolean> {
  const { stdout } = await git.run({ args: ["rev-parse", "--is-shallow-repository"], directory });
  return stdout.toString("latin1").trim() === "true";
}

/** What every branch and tag points to. */
async function readRefs(git: GitReader, directory: GitDirectory): Promise<Map<string, string>> {
  const output = await git.run({ args: ["for-each-ref", "--format=%(objectname) %(refname) %(symref)"], directory });
  if (output.exitCode !== 0) throw readFailure(output, directory);
  const lines = output.stdout.toString("utf8").split("\n");
  // origin/HEAD is another name for a branch that is told anyway.
  const own = lines.map((line) => line.split(" ")).filter(([id, , symref]) => id !== "" && symref === "");
  return new Map(own.map(([id = "", refName = ""]): [string, string] => [refName, id]));
}

function updatesBetween(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): RefUpdate[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names
    .map((refName) => ({ refName, oldId: before.get(refName) ?? "", newId: after.get(refName) ?? "" }))
    .filter(({ oldId, newId }) => oldId !== newId);
}
