import type { PathBytes } from "../files/path-bytes.ts";
import { InvalidRequest } from "../util/errors.ts";
import { nulList } from "./commit.ts";
import { checkName } from "./remotes.ts";
import { inRepository, readHead, runLocally, type Head, type VerbConduct, type VerbTools } from "./verb-context.ts";

export interface CheckoutTask {
  readonly path: PathBytes;
  /** Empty: HEAD, or with paths the index. */
  readonly revision: string;
  /** Empty: none. */
  readonly newBranch: string;
  readonly detach: boolean;
  readonly force: boolean;
  /** Brought back, relative to `path`, and HEAD stays. */
  readonly paths: readonly PathBytes[];
}

/** Moves HEAD, makes a branch, or brings files back. */
export async function checkout(tools: VerbTools, task: CheckoutTask, conduct: VerbConduct): Promise<Head> {
  checkTask(task);
  return await inRepository(tools, task.path, conduct.signal, async (directory) => {
    const input = task.paths.length > 0 ? filesInput(task) : { args: headArguments(task) };
    await runLocally(tools, directory, conduct, input);
    return await readHead(tools, directory);
  });
}

function checkTask({ revision, newBranch, detach, paths }: CheckoutTask): void {
  if (revision !== "") checkName("revision", revision);
  if (newBranch !== "") checkName("new_branch", newBranch);
  if (paths.length > 0 && (newBranch !== "" || detach)) throw both("paths", newBranch === "" ? "detach" : "new_branch");
  if (newBranch !== "" && detach) throw both("new_branch", "detach");
  if (paths.length === 0 && revision === "" && newBranch === "" && !detach) {
    throw new InvalidRequest("MISSING_FIELD", "revision, new_branch, detach or paths must be set", {
      subject: "revision",
    });
  }
}

function both(one: string, other: string): InvalidRequest {
  return new InvalidRequest("INVALID_FIELD", `${one} and ${other} cannot both be set`, { subject: one });
}

function headArguments({ revision, newBranch, detach, force }: CheckoutTask): string[] {
  const args = ["checkout"];
  if (force) args.push("--force");
  if (detach) args.push("--detach");
  if (newBranch !== "") args.push(force ? "-B" : "-b", newBranch);
  if (revision !== "") args.push(revision);
  return [...args, "--"];
}

function filesInput({ revision, force, paths }: CheckoutTask): { args: string[]; stdin: Buffer } {
  const args = ["checkout", ...(force ? ["--force"] : []), "--pathspec-from-file=-", "--pathspec-file-nul"];
  return { args: [...args, ...(revision === "" ? [] : [revision])], stdin: nulList(paths) };
}
