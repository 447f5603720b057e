import type { PathBytes } from "../files/path-bytes.ts";
import { InvalidRequest, NotFound } from "../util/errors.ts";
import type { GitDirectory } from "./git-directory.ts";
import { COMMIT_FORMAT, parseCommits, type Commit } from "./list-commits.ts";
import { isReason, readFailure } from "./read-failure.ts";
import { inRepository, readHead, runLocally, type VerbConduct, type VerbTools } from "./verb-context.ts";

/** Who does something; without a time, now. */
export interface Person {
  readonly name: string;
  readonly email: string;
  readonly timeSeconds: number | undefined;
}

export interface CommitTask {
  readonly path: PathBytes;
  readonly message: string;
  /** Staged first, relative to `path`. */
  readonly paths: readonly PathBytes[];
  readonly stageAll: boolean;
  readonly author: Person | undefined;
  readonly committer: Person | undefined;
  readonly allowEmpty: boolean;
  readonly amend: boolean;
}

/** Commits the index, after staging what is asked. */
export async function commit(
  tools: VerbTools,
  task: CommitTask,
  conduct: VerbConduct,
): Promise<{ commit: Commit; branch: string }> {
  const message = withoutBlankEnds(task.message);
  if (message === "" && !task.amend) {
    throw new InvalidRequest("MISSING_FIELD", "message must be set", { subject: "message" });
  }
  return await inRepository(tools, task.path, conduct.signal, async (directory) => {
    await stage(tools, directory, task, conduct);
    const args = ["commit", "--cleanup=verbatim", ...(message === "" ? ["--no-edit"] : ["--file=-"])];
    if (task.amend) args.push("--amend");
    // Git keeps the author of what is amended, whatever the environment says.
    if (task.amend && task.author !== undefined) args.push(...amendedAuthor(task.author));
    if (task.allowEmpty) args.push("--allow-empty");
    const run = (committer: Person | undefined): Promise<unknown> =>
      runLocally(tools, directory, conduct, {
        args,
        stdin: Buffer.from(message === "" ? "" : `${message}\n`),
        variables: { ...personVariables("AUTHOR", task.author), ...personVariables("COMMITTER", committer) },
      });
    try {
      await run(task.committer);
    } catch (error) {
      const isAnybody = task.committer === undefined && task.author !== undefined;
      if (!isAnybody || !isReason(error, "GIT_IDENTITY_MISSING")) throw error;
      await run(task.author);
    }
    const [made, { branch }] = await Promise.all([lastCommit(tools, directory), readHead(tools, directory)]);
    return { commit: made, branch };
  });
}

async function stage(
  tools: VerbTools,
  directory: GitDirectory,
  { paths, stageAll }: CommitTask,
  conduct: VerbConduct,
): Promise<void> {
  if (stageAll) await runLocally(tools, directory, conduct, { args: ["add", "--all"] });
  if (paths.length === 0) return;
  const args = ["add", "--all", "--pathspec-from-file=-", "--pathspec-file-nul"];
  try {
    await runLocally(tools, directory, conduct, { args, stdin: nulList(paths) });
  } catch (error) {
    const missing = error instanceof Error ? /pathspec '(.*)' did not match/.exec(error.message)?.[1] : undefined;
    if (missing === undefined) throw error;
    throw new NotFound("FILE_NOT_FOUND", `Neither the disk nor the index has ${missing}`, { subject: missing });
  }
}

export function nulList(paths: readonly PathBytes[]): Buffer {
  return Buffer.concat(paths.flatMap((path) => [path, Buffer.of(0)]));
}

function personVariables(role: "AUTHOR" | "COMMITTER", person: Person | undefined): Record<string, string> {
  if (person === undefined) return {};
  return {
    [`GIT_${role}_NAME`]: person.name,
    [`GIT_${role}_EMAIL`]: person.email,
    ...(person.timeSeconds === undefined ? {} : { [`GIT_${role}_DATE`]: dateOf(person.timeSeconds) }),
  };
}

function amendedAuthor({ name, email, timeSeconds }: Person): string[] {
  return [`--author=${name} <${email}>`, ...(timeSeconds === undefined ? [] : [`--date=${dateOf(timeSeconds)}`])];
}

function dateOf(timeSeconds: number): string {
  return `@${timeSeconds} +0000`;
}

function withoutBlankEnds(message: string): string {
  return message.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
}

async function lastCommit({ git }: VerbTools, directory: GitDirectory): Promise<Commit> {
  const args = [
    "log",
    "-1",
    "-z",
    "--no-show-signature",
    "--no-color",
    "--encoding=UTF-8",
    `--format=${COMMIT_FORMAT}`,
  ];
  const output = await git.run({ args, directory });
  const [made] = parseCommits(output.stdout);
  if (made === undefined) throw readFailure(output, directory);
  return made;
}
