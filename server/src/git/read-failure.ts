import { pathText } from "../files/path-bytes.ts";
import { DomainError, FailedPrecondition, NotFound, PermissionDenied } from "../util/errors.ts";
import type { GitDirectory } from "./git-directory.ts";
import type { GitOutput } from "./git-reader.ts";
import { redact } from "./redact.ts";

/** What it means that a reading git failed in a directory. */
export function readFailure(output: GitOutput, directory: GitDirectory): DomainError {
  const subject = pathText(directory.realPath);
  const words = output.stderr;
  if (/not a git repository|not a gitdir|invalid gitfile format/i.test(words)) {
    return new FailedPrecondition("NOT_A_REPOSITORY", `Not in a git repository: ${subject}`, { subject });
  }
  if (/must be run in a work tree|can't be used outside working tree/.test(words)) {
    return new FailedPrecondition("BARE_REPOSITORY", `The repository has no files on disk: ${subject}`, { subject });
  }
  if (/dubious ownership/.test(words)) {
    return new PermissionDenied("ACCESS_DENIED", `The repository belongs to another user: ${subject}`, {
      subject,
      remedy: "Update git to 2.38 or newer, which can be told that this is all right.",
    });
  }
  if (/Permission denied/.test(words)) {
    return new PermissionDenied("ACCESS_DENIED", `git may not read the repository: ${subject}`, { subject });
  }
  return new FailedPrecondition("GIT_FAILED", `git failed in ${subject}: ${gitWords(words)}`, { subject });
}

export function refNotFound(ref: string): NotFound {
  return new NotFound("REF_NOT_FOUND", `No such branch, tag or commit: ${ref}`, { subject: ref });
}

export function isReason(error: unknown, ...reasons: readonly DomainError["reason"][]): error is DomainError {
  return error instanceof DomainError && reasons.includes(error.reason);
}

/** What gives no reason: hints, the remote's progress, and that our own askpass had no answer. */
const NOISE = /^hint:|^\(use "|^remote: (?:\w+ objects: |Total \d|Resolving deltas)|unable to read askpass response/;
/** Lines that give one: git's, the remote's, and ssh's ("git@host: Permission denied"). */
const REASON = /^(?:fatal|error|remote|ssh|[^\s:@]+@[^\s:@]+): /;

/** The last of what git said, on one line: its first lines are progress. */
export function gitWords(stderr: string): string {
  const all = stderr.split(/[\r\n]+/).map((line) => line.trim());
  const lines = all.filter((line) => line !== "" && !NOISE.test(line));
  const fatal = lines.filter((line) => REASON.test(line));
  return redact((fatal.length > 0 ? fatal : lines).slice(-5).join("; ")).slice(0, 600) || "it gave no reason";
}
