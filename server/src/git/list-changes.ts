import { joinPath } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import type { Paths } from "../files/place.ts";
import { chooseBase, emptyTree, type Base } from "./choose-base.ts";
import { checkConfinement } from "./confinement.ts";
import { readSettings } from "./read-settings.ts";
import type { GitSetting } from "./git-environment.ts";
import { dotGit, exists, withGitDirectory, type GitDirectory } from "./git-directory.ts";
import type { GitReader } from "./git-reader.ts";
import { nestedRepositories } from "./nested-repositories.ts";
import type { Change } from "./raw-diff.ts";
import { isReason, readFailure, refNotFound } from "./read-failure.ts";
import { mergeChanges, otherFiles, trackedChanges, type OtherFiles } from "./repository-changes.ts";
import { resolveCommits } from "./resolve-commits.ts";
import { Slots } from "./slots.ts";

export interface ChangesQuestion {
  readonly path: PathBytes;
  readonly baseRef: string | undefined;
  readonly commit: string | undefined;
  readonly withNested: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What one repository was compared with; `path` is relative to the directory that was asked for. */
export interface Comparison {
  readonly path: PathBytes;
  readonly base: Base | undefined;
  readonly problem: string;
}

export interface ChangesAnswer {
  /** Sorted by the bytes of their paths. */
  readonly changes: readonly Change[];
  readonly comparisons: readonly Comparison[];
}

const MOST_NESTED_AT_ONCE = 8;
const HERE: PathBytes = Buffer.alloc(0);

/** The paths below a directory that differ from a base, in its repository and those nested in it. */
export async function listChanges(git: GitReader, paths: Paths, question: ChangesQuestion): Promise<ChangesAnswer> {
  return await withGitDirectory(paths, question.path, async (directory) => {
    const answer =
      question.commit === undefined
        ? await changesOnDisk(git, paths, question, directory, new Set())
        : await changesOfCommit(git, paths, question.commit, directory, question.signal);
    return { ...answer, changes: answer.changes.toSorted((one, other) => Buffer.compare(one.path, other.path)) };
  });
}

async function changesOfCommit(
  git: GitReader,
  paths: Paths,
  commit: string,
  directory: GitDirectory,
  signal: AbortSignal | undefined,
): Promise<ChangesAnswer> {
  await checkConfinement(git, paths, directory, signal);
  const { id, base } = await commitAndParent(git, directory, commit, signal);
  const changes = await trackedChanges(git, directory, [base.id, id], [], signal);
  return { changes, comparisons: [{ path: HERE, base, problem: "" }] };
}

/** A commit, and its first parent as a base; that of a first commit is the empty tree. */
export async function commitAndParent(
  git: GitReader,
  directory: GitDirectory,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<{ id: string; base: Base }> {
  const [id, parentId, headId] = await resolveCommits(git, directory, [commit, `${commit}^1`, "HEAD"], signal);
  if (id === undefined) throw refNotFound(commit);
  if (parentId !== undefined) return { id, base: { id: parentId, choice: "PARENT", headId } };
  return { id, base: { id: await emptyTree(git, directory, signal), choice: "EMPTY", headId } };
}

async function changesOnDisk(
  git: GitReader,
  paths: Paths,
  question: ChangesQuestion,
  directory: GitDirectory,
  seen: Set<string>,
): Promise<ChangesAnswer> {
  seen.add(directory.realPath.toString("latin1"));
  let own: Awaited<ReturnType<typeof ownChanges>> | undefined;
  let failure: unknown;
  try {
    own = await ownChanges(git, paths, question, directory);
  } catch (error) {
    // A directory of repositories need not be one itself.
    if (!question.withNested || !isReason(error, "NOT_A_REPOSITORY")) throw error;
    failure = error;
  }
  const nested = question.withNested ? await changesOfNested(git, paths, question, directory, own?.others, seen) : [];
  if (own === undefined && nested.length === 0) throw failure;

  const changes = own === undefined ? [] : own.changes.filter(({ path }) => !nested.some(owns(path)));
  const comparisons = own === undefined ? [] : [{ path: HERE, base: own.base, problem: "" }];
  return {
    changes: [...changes, ...nested.flatMap(({ answer }) => answer.changes)],
    comparisons: [...comparisons, ...nested.flatMap(({ answer }) => answer.comparisons)],
  };
}

async function ownChanges(
  git: GitReader,
  paths: Paths,
  { baseRef, signal }: ChangesQuestion,
  directory: GitDirectory,
): Promise<{ changes: Change[]; base: Base; others: OtherFiles }> {
  await checkConfinement(git, paths, directory, signal);
  const [[chosen, settings, tracked], others] = await Promise.all([
    changesAgainstBase(),
    otherFiles(git, directory, signal),
  ]);
  const otherwise = chosen.whenClean;
  if (otherwise === undefined || tracked.length > 0 || (await isDirty())) {
    return { changes: mergeChanges(tracked, others), base: chosen, others };
  }
  const changes = await trackedChanges(git, directory, [otherwise.id], settings, signal);
  return { changes: mergeChanges(changes, others), base: otherwise, others };

  async function changesAgainstBase(): Promise<[Base, readonly GitSetting[], Change[]]> {
    const [base, { settings: own }] = await Promise.all([
      chooseBase(git, directory, baseRef, signal),
      readSettings(git, directory, signal),
    ]);
    return [base, own, await trackedChanges(git, directory, [base.id], own, signal)];
  }

  /** Whether a file outside of the directory that was looked at differs. */
  async function isDirty(): Promise<boolean> {
    if (await exists(joinPath(directory.realPath, dotGit))) return false;
    return await differsAnywhere(git, directory, chosen.id, settings, signal);
  }
}

/** Whether any tracked file of the whole repository differs from a commit. */
export async function differsAnywhere(
  git: GitReader,
  directory: GitDirectory,
  id: string,
  settings: readonly GitSetting[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const args = ["diff", "--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty", id, "--"];
  const output = await git.run({ args, directory, settings, signal });
  if (output.exitCode > 1) throw readFailure(output, directory);
  return output.exitCode === 1;
}

interface Nested {
  readonly prefix: PathBytes;
  readonly isRead: boolean;
  readonly answer: ChangesAnswer;
}

async function changesOfNested(
  git: GitReader,
  paths: Paths,
  question: ChangesQuestion,
  directory: GitDirectory,
  others: OtherFiles | undefined,
  seen: Set<string>,
): Promise<Nested[]> {
  const prefixes = await nestedRepositories(git, directory, others?.repositories ?? [], question.signal);
  // Each holds its directory open.
  const slots = new Slots(MOST_NESTED_AT_ONCE);
  const found = await Promise.all(
    prefixes.map((prefix) =>
      slots.run(question.signal, () => changesOfOne(git, paths, question, directory, prefix, seen)),
    ),
  );
  return found.filter((nested) => nested !== undefined);
}

async function changesOfOne(
  git: GitReader,
  paths: Paths,
  question: ChangesQuestion,
  parent: GitDirectory,
  prefix: PathBytes,
  seen: Set<string>,
): Promise<Nested | undefined> {
  try {
    return await withGitDirectory(
      paths,
      joinPath(parent.realPath, prefix),
      async (directory) => {
        if (seen.has(directory.realPath.toString("latin1"))) return undefined;
        const own = await nestedQuestion(git, question, directory);
        const { changes, comparisons } = await changesOnDisk(git, paths, own, directory, seen);
        const answer = {
          changes: changes.map((change) => below(prefix, change)),
          comparisons: comparisons.map((comparison) => ({ ...comparison, path: joinPath(prefix, comparison.path) })),
        };
        return { prefix, isRead: true, answer };
      },
      true,
    );
  } catch (error) {
    if (question.signal?.aborted === true) throw error;
    const problem = error instanceof Error ? error.message : String(error);
    return {
      prefix,
      isRead: false,
      answer: { changes: [], comparisons: [{ path: prefix, base: undefined, problem }] },
    };
  }
}

/** A nested repository that does not have the ref chooses its own base. */
async function nestedQuestion(
  git: GitReader,
  question: ChangesQuestion,
  directory: GitDirectory,
): Promise<ChangesQuestion> {
  const { baseRef, signal } = question;
  if (baseRef === undefined || baseRef === "HEAD") return question;
  const [id] = await resolveCommits(git, directory, [baseRef], signal);
  return id === undefined ? { ...question, baseRef: undefined } : question;
}

function below(prefix: PathBytes, change: Change): Change {
  const { path, oldPath } = change;
  return {
    ...change,
    path: joinPath(prefix, path),
    oldPath: oldPath === undefined ? undefined : joinPath(prefix, oldPath),
  };
}

/** Whether a path of the outer repository lies in a nested one, which alone tells of it then. */
function owns(path: PathBytes): (nested: Nested) => boolean {
  return ({ prefix, isRead }) => isRead && path.length > prefix.length && isDirectlyBelow(path, prefix);
}

function isDirectlyBelow(path: PathBytes, prefix: PathBytes): boolean {
  return path[prefix.length] === SLASH && path.subarray(0, prefix.length).equals(prefix);
}

const SLASH = 0x2f;
