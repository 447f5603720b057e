import { mkdir, readdir, stat } from "node:fs/promises";
import { absolutePath, joinPath, parentPath, pathText } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import { remove } from "../files/remove.ts";
import { systemCode } from "../files/errno.ts";
import { AlreadyExists } from "../util/errors.ts";
import { withGitDirectory, type GitDirectory } from "./git-directory.ts";
import { checkName } from "./remotes.ts";
import { isReason } from "./read-failure.ts";
import { redact } from "./redact.ts";
import { directoryNameOf, parseRemoteUrl, type RemoteUrl } from "./remote-url.ts";
import { readHead, runLocally, runWithRemote, type Head, type RemoteConduct, type VerbTools } from "./verb-context.ts";

export interface CloneTask {
  readonly url: string;
  /** Undefined: named after the URL, in the workspace's directory. */
  readonly path: PathBytes | undefined;
  /** Undefined: the remote's default branch. */
  readonly revision: string | undefined;
  /** 0: all. */
  readonly depth: number;
  readonly singleBranch: boolean;
  readonly recurseSubmodules: boolean;
}

export interface CloneResult extends Head {
  readonly path: PathBytes;
}

const COMMIT_ID = /^[0-9a-f]{7,64}$/;
const WHOLE_COMMIT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Clones a repository into a new or empty directory; what fails leaves nothing behind. */
export async function clone(tools: VerbTools, task: CloneTask, conduct: RemoteConduct): Promise<CloneResult> {
  const url = parseRemoteUrl(task.url);
  if (task.revision !== undefined) checkName("revision", task.revision);
  const path = tools.paths.absolute(task.path ?? Buffer.from(directoryNameOf(url)));
  return await intoEmptyDirectory(tools, path, async (directory) => {
    const commit = task.revision !== undefined && COMMIT_ID.test(task.revision) ? task.revision : undefined;
    const remote = { name: redact(url.url), url };
    await runWithRemote(tools, directory, remote, conduct, { args: cloneArguments(task, url, commit) });
    if (commit !== undefined) await checkOutCommit(tools, directory, remote, commit, task, conduct);
    return { path: directory.realPath, ...(await readHead(tools, directory)) };
  });
}

function cloneArguments(task: CloneTask, { url }: RemoteUrl, commit: string | undefined): string[] {
  const args = ["clone", "--progress"];
  if (commit !== undefined) args.push("--no-checkout");
  else {
    if (task.revision !== undefined) args.push(`--branch=${task.revision}`);
    if (task.depth > 0) args.push(`--depth=${task.depth}`);
    if (task.singleBranch) args.push("--single-branch");
    if (task.recurseSubmodules) args.push("--recurse-submodules");
    if (task.recurseSubmodules && task.depth > 0) args.push("--shallow-submodules");
  }
  return [...args, "--", url, "."];
}

/** A branch that looks like a commit's id is one all the same. */
async function checkOutCommit(
  tools: VerbTools,
  directory: GitDirectory,
  remote: { name: string; url: RemoteUrl },
  commit: string,
  { recurseSubmodules }: CloneTask,
  conduct: RemoteConduct,
): Promise<void> {
  try {
    await runLocally(tools, directory, conduct, { args: ["checkout", commit, "--"] });
  } catch (error) {
    if (!isReason(error, "REF_NOT_FOUND") || !WHOLE_COMMIT_ID.test(commit)) throw error;
    // On no branch, such as that of a pull request; many servers give it to who knows its id.
    await runWithRemote(tools, directory, remote, conduct, { args: ["fetch", "--progress", "--", "origin", commit] });
    await runLocally(tools, directory, conduct, { args: ["checkout", "--detach", commit, "--"] });
  }
  if (!recurseSubmodules) return;
  const args = ["submodule", "update", "--init", "--recursive", "--progress"];
  await runWithRemote(tools, directory, remote, conduct, { args });
}

async function intoEmptyDirectory<T>(
  tools: VerbTools,
  path: PathBytes,
  act: (directory: GitDirectory) => Promise<T>,
): Promise<T> {
  const { paths, cloneTargets } = tools;
  const key = path.toString("latin1");
  // Who comes second would find it empty still, and take away what the first one made.
  if (cloneTargets.has(key)) throw notEmpty(path);
  cloneTargets.add(key);
  try {
    const missing = await missingAbove(tools, path);
    const place = { follow: "target", createParents: true } as const;
    const isNew = await paths.locate(path, place, ({ at }) => makeEmpty(at, path));
    try {
      return await withGitDirectory(paths, path, act);
    } catch (error) {
      // What somebody else put there meanwhile is theirs.
      if (!isReason(error, "FILE_EXISTS")) await clear(tools, path, isNew, missing).catch(() => {});
      throw error;
    }
  } finally {
    cloneTargets.delete(key);
  }
}

/** Makes the directory, or answers false where there is an empty one. */
async function makeEmpty(at: PathBytes, path: PathBytes): Promise<boolean> {
  try {
    await mkdir(at);
    return true;
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
  const isEmpty = (await stat(at)).isDirectory() && (await readdir(at, { encoding: "buffer" })).length === 0;
  if (isEmpty) return false;
  throw notEmpty(path);
}

function notEmpty(path: PathBytes): AlreadyExists {
  const subject = pathText(path);
  return new AlreadyExists("FILE_EXISTS", `The directory to clone into is there already and not empty: ${subject}`, {
    subject,
    remedy: "Name another directory, or remove this one.",
  });
}

/** The directories above `path` that will be made for it, the deepest first. */
async function missingAbove({ paths }: VerbTools, path: PathBytes): Promise<PathBytes[]> {
  const missing: PathBytes[] = [];
  for (let parent = parentPath(path); parent.length > 1; parent = parentPath(parent)) {
    const isThere = await paths
      .locate(parent, { follow: "yes" }, ({ at }) => stat(at))
      .then(
        () => true,
        () => false,
      );
    if (isThere) break;
    missing.push(parent);
  }
  return missing;
}

async function clear(
  { paths }: VerbTools,
  path: PathBytes,
  isNew: boolean,
  missing: readonly PathBytes[],
): Promise<void> {
  const gone = { recursive: true, missingOk: true, ifMatch: "" };
  if (isNew) await remove(paths, { ...gone, path });
  else {
    const names = await paths.locate(path, { follow: "yes" }, ({ at }) => readdir(at, { encoding: "buffer" }));
    for (const name of names)
      await remove(paths, { ...gone, path: joinPath(absolutePath(path, Buffer.alloc(0)), name) });
  }
  // Only what is empty goes: something else may have come into it.
  for (const parent of missing) await remove(paths, { ...gone, path: parent, recursive: false });
}
