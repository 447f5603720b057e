import { Aborted, AlreadyExists, FailedPrecondition, NotFound, PermissionDenied, Unsupported } from "../util/errors.ts";
import type { DomainError, ErrorContext, ErrorReason } from "../util/errors.ts";
import { gitWords } from "./read-failure.ts";
import { redact } from "./redact.ts";
import type { VerbOutput } from "./verb-runner.ts";

export interface VerbSubjects {
  /** The directory. */
  readonly directory: string;
  /** The remote's name or URL. */
  readonly remote?: string;
  readonly secrets?: readonly string[];
}

interface Rule {
  readonly pattern: RegExp;
  readonly ErrorClass: new (reason: ErrorReason, message: string, context: ErrorContext) => DomainError;
  readonly reason: ErrorReason;
  readonly message: string;
  /** What it is about: the directory, the remote, or what the pattern caught. */
  readonly subject: "directory" | "remote" | "caught";
  readonly remedy?: string;
  /** Whether git's words say nothing that the message does not. */
  readonly isWhole?: boolean;
}

/** What git's words mean, the first that fits; it speaks English here (LC_ALL=C). */
const RULES: readonly Rule[] = [
  {
    pattern: /not a git repository|invalid gitfile format/i,
    ErrorClass: FailedPrecondition,
    reason: "NOT_A_REPOSITORY",
    message: "Not in a git repository",
    subject: "directory",
  },
  {
    pattern: /must be run in a work tree/,
    ErrorClass: FailedPrecondition,
    reason: "BARE_REPOSITORY",
    message: "The repository has no files on disk",
    subject: "directory",
  },
  {
    pattern: /destination path '.*' already exists and is not an empty directory/,
    ErrorClass: AlreadyExists,
    reason: "FILE_EXISTS",
    message: "The directory to clone into is not empty any more",
    subject: "directory",
  },
  {
    pattern: /Unable to create '([^']*\.lock)': File exists/,
    ErrorClass: Aborted,
    reason: "GIT_LOCKED",
    message: "Another git works on the repository, or one that crashed left its lock",
    subject: "caught",
    remedy: "Try again; where no git is running, remove the lock.",
  },
  {
    pattern: /cannot lock ref '([^']*)'(?!.*(?:exists; cannot create|is at [0-9a-f]+ but expected))/,
    ErrorClass: Aborted,
    reason: "GIT_LOCKED",
    message: "Another git works on the branch",
    subject: "caught",
  },
  {
    pattern: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No \S+ host key is known for/,
    ErrorClass: FailedPrecondition,
    reason: "HOST_KEY_UNVERIFIED",
    message: "The host's ssh key is not the known one",
    subject: "remote",
    remedy: "Send the host's key in known_hosts of the credentials.",
  },
  {
    pattern:
      /Authentication failed|could not read (?:Username|Password)|Permission denied \((?:publickey|password|keyboard)|The requested URL returned error: 40[13]|HTTP 40[13]|Too many authentication failures|access denied or repository not exported/i,
    ErrorClass: PermissionDenied,
    reason: "AUTHENTICATION_FAILED",
    message: "The remote wants credentials, or others than these",
    subject: "remote",
    remedy: "Send credentials for the remote's host that it takes.",
  },
  {
    pattern: /Remote branch (\S+) not found|couldn't find remote ref (\S+)|src refspec (\S+) does not match any/,
    ErrorClass: NotFound,
    reason: "REF_NOT_FOUND",
    message: "No such branch or tag",
    subject: "caught",
  },
  {
    pattern:
      /invalid reference: (.+)|'([^']+)' is not a commit|pathspec '([^']+)' did not match any file\(s\) known to git|unknown revision or path.*'([^']+)'|reference is not a tree: (\S+)|unable to read tree \(?(\S+?)\)?$|'([^']+)' did not match any commit/m,
    ErrorClass: NotFound,
    reason: "REF_NOT_FOUND",
    message: "No such branch, tag, commit or file in it",
    subject: "caught",
  },
  {
    pattern: /branch named '([^']+)' already exists/,
    ErrorClass: AlreadyExists,
    reason: "BRANCH_EXISTS",
    message: "There is a branch of that name",
    subject: "caught",
  },
  {
    pattern:
      /repository '([^']+)' not found|repository ['"]?([^'"\n]+?)['"]? does not exist|'([^']+)' does not appear to be a git repository|No such remote '?([^'\n]+)'?|No configured push destination|There is no tracking information|Repository not found|no such repository|The requested URL returned error: 404/i,
    ErrorClass: NotFound,
    reason: "REMOTE_NOT_FOUND",
    message: "No such remote, or no repository there",
    subject: "remote",
  },
  {
    pattern:
      /unmerged files|Automatic merge failed|CONFLICT \(|Resolve all conflicts|could not apply|needs merge|You have not concluded your merge|Exiting because of an unresolved conflict/,
    ErrorClass: FailedPrecondition,
    reason: "GIT_CONFLICT",
    message: "There are conflicts to resolve",
    subject: "directory",
    remedy: "GetStatus lists the files in conflict.",
  },
  {
    pattern:
      /would be overwritten by [a-z -]+:\s*\n\s+(.+)|following untracked working tree files would be (?:overwritten|removed)[^\n]*\n\s+(.+)/,
    ErrorClass: FailedPrecondition,
    reason: "GIT_CONFLICT",
    message: "Files on disk would be overwritten",
    subject: "caught",
    remedy: "Commit or move them first.",
  },
  {
    pattern:
      /Not possible to fast-forward|[Dd]iverg(?:ed|ing|ent) branches|Need to specify how to reconcile|cannot (?:pull with rebase|rebase): You have unstaged changes|uncommitted changes|refusing to merge unrelated histories|already (?:checked out|used by worktree) at/,
    ErrorClass: FailedPrecondition,
    reason: "GIT_CONFLICT",
    message: "The two histories do not go together as they are",
    subject: "directory",
  },
  {
    pattern:
      /Please tell me who you are|empty ident name|unable to auto-detect email|no (?:name|email) was given and auto-detection is disabled/,
    ErrorClass: FailedPrecondition,
    reason: "GIT_IDENTITY_MISSING",
    message: "git does not know who commits",
    subject: "directory",
    remedy: "Set user.name and user.email, or send author and committer.",
  },
  {
    pattern: /nothing to commit|would make\s+it empty|nothing added to commit|no changes added to commit/,
    ErrorClass: FailedPrecondition,
    reason: "NOTHING_TO_COMMIT",
    message: "Nothing is staged that differs from the last commit",
    subject: "directory",
    remedy: "Name files in `paths`, or set `stage_all`.",
    // A list of the files that are not staged.
    isWhole: true,
  },
  {
    pattern: /cannot run ssh|unable to fork.*ssh|ssh: not found|error: cannot run '?(ssh)/,
    ErrorClass: Unsupported,
    reason: "GIT_NOT_INSTALLED",
    message: "There is no ssh where the server runs: ssh",
    subject: "remote",
    remedy: "Install OpenSSH's client, for example: apt-get install openssh-client",
  },
  {
    pattern:
      /Could not resolve host|Failed to connect|Couldn't connect|Connection (?:refused|timed out|reset|closed)|No route to host|Network is unreachable|unable to connect|Operation timed out|SSL certificate|certificate verif|TLS|SSL_|Empty reply|early EOF|hung up unexpectedly|RPC failed|The requested URL returned error: 5\d\d|Could not read from remote repository|Temporary failure in name resolution|unable to access|unable to update url base from redirection|transfer closed/,
    ErrorClass: Aborted,
    reason: "REMOTE_UNREACHABLE",
    message: "The remote does not answer, or not as git expects",
    subject: "remote",
  },
  {
    pattern: /insufficient permission|[Pp]ermission denied|Read-only file system/,
    ErrorClass: PermissionDenied,
    reason: "ACCESS_DENIED",
    message: "The operating system refuses",
    subject: "directory",
  },
];

/** What it means that an acting git failed. */
export function verbFailure({ stdout, stderr }: VerbOutput, subjects: VerbSubjects): DomainError {
  const { directory, remote = directory, secrets = [] } = subjects;
  const words = `${stderr}\n${stdout}`;
  const said = redact(gitWords(stderr.trim() === "" ? stdout : stderr), secrets);
  for (const { pattern, ErrorClass, reason, message, subject: kind, remedy, isWhole } of RULES) {
    const match = pattern.exec(words);
    if (match === null) continue;
    const caught = match.slice(1).find((group) => group !== undefined);
    const subject = redact({ directory, remote, caught: caught?.trim() ?? directory }[kind], secrets);
    const context = { subject, ...(remedy === undefined ? {} : { remedy }) };
    return new ErrorClass(reason, isWhole === true ? message : `${message}: ${said}`, context);
  }
  return new FailedPrecondition("GIT_FAILED", `git failed: ${said}`, { subject: directory });
}
