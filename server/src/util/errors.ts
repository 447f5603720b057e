/**
 * What the domain throws: one class for each thing that a caller can do about it. The reasons are those of the
 * contract's `ErrorReason`, whose comments say what each means; `rpc/error-map.ts` turns them into a status.
 */
export type ErrorReason =
  | "INVALID_FIELD"
  | "MISSING_FIELD"
  | "UNKNOWN_FIELD"
  | "UNKNOWN_SIGNAL"
  | "ARGUMENTS_TOO_LARGE"
  | "CREDENTIALS_MISSING"
  | "CREDENTIALS_INVALID"
  | "EXEC_NOT_FOUND"
  | "EXEC_EXPIRED"
  | "DIRECTORY_NOT_FOUND"
  | "PROGRAM_NOT_FOUND"
  | "USER_NOT_FOUND"
  | "EXEC_ID_CONFLICT"
  | "REQUEST_ID_CONFLICT"
  | "NOT_A_DIRECTORY"
  | "PROGRAM_NOT_EXECUTABLE"
  | "NOT_A_TERMINAL"
  | "EXEC_ENDED"
  | "STDIN_CLOSED"
  | "STDIN_OFFSET_GAP"
  | "INSTANCE_CHANGED"
  | "CURSOR_OUT_OF_RANGE"
  | "ACCESS_DENIED"
  | "LIMIT_EXCEEDED"
  | "MACHINE_EXHAUSTED"
  | "STORAGE_FULL"
  | "READER_STALLED"
  | "TERMINAL_UNSUPPORTED"
  | "LIMIT_UNSUPPORTED"
  | "USER_UNSUPPORTED"
  | "SERVER_STOPPING"
  | "INTERNAL"
  | "FILE_NOT_FOUND"
  | "UPLOAD_NOT_FOUND"
  | "FILE_EXISTS"
  | "UPLOAD_ID_CONFLICT"
  | "IS_A_DIRECTORY"
  | "NOT_A_REGULAR_FILE"
  | "FILE_BUSY"
  | "DIRECTORY_NOT_EMPTY"
  | "ETAG_MISMATCH"
  | "UPLOAD_OFFSET_MISMATCH"
  | "CHUNK_CORRUPT"
  | "DIGEST_MISMATCH"
  | "SIZE_MISMATCH"
  | "FILE_CHANGED"
  | "PATH_OUTSIDE_ROOT"
  | "READ_ONLY_FILE_SYSTEM"
  | "ENTRY_REFUSED"
  | "UPLOAD_TAKEN_OVER"
  | "REGEX_UNSUPPORTED"
  | "FILE_SYSTEM_REFUSED"
  | "NOT_A_REPOSITORY"
  | "BARE_REPOSITORY"
  | "REF_NOT_FOUND"
  | "REMOTE_NOT_FOUND"
  | "REMOTE_UNREACHABLE"
  | "AUTHENTICATION_FAILED"
  | "HOST_KEY_UNVERIFIED"
  | "PUSH_REJECTED"
  | "GIT_CONFLICT"
  | "GIT_LOCKED"
  | "GIT_NOT_INSTALLED"
  | "NOTHING_TO_COMMIT"
  | "GIT_IDENTITY_MISSING"
  | "BRANCH_EXISTS"
  | "GIT_TIMED_OUT"
  | "OPERATION_CANCELLED"
  | "OPERATION_NOT_FOUND"
  | "GIT_FAILED";

/** What a tree's transfer did; see the contract's TreeReport. */
export interface TreeReport {
  files: number;
  directories: number;
  symlinks: number;
  hardLinks: number;
  contentBytes: number;
  skipped: number;
  skippedNames: string[];
}

export interface ErrorContext {
  /** What it is about: a field, a path, an id. */
  subject?: string;
  /** What to do about it. */
  remedy?: string;
  /** How long to wait before the next try. */
  retryDelayMs?: number;
  /** The limit that was hit, by its name in `Limits`. */
  limit?: { name: string; value: number };
  /** Where the server stands: an offset or a cursor. */
  expectedOffset?: number;
  /** The server and the workspace that answer. */
  instanceId?: string;
  workspaceId?: string;
  /** The file's present etag. */
  etag?: string;
  /** The operating system's name of it, for example "ENOSPC". */
  systemCode?: string;
  /** What a tree's transfer did before it ended. */
  tree?: TreeReport;
  cause?: unknown;
}

export abstract class DomainError extends Error {
  readonly reason: ErrorReason;
  readonly context: ErrorContext;
  /** Whether the same call may succeed later, unchanged. */
  readonly retryable: boolean = false;

  constructor(reason: ErrorReason, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = new.target.name;
    this.reason = reason;
    this.context = context;
  }
}

/** The request is wrong: mend it. */
export class InvalidRequest extends DomainError {}
/** Who calls is not known: send another key. */
export class Unauthenticated extends DomainError {}
/** The thing is not there. */
export class NotFound extends DomainError {}
/** The name belongs to something else: take another. */
export class AlreadyExists extends DomainError {}
/** The thing is in a state in which this cannot be done. */
export class FailedPrecondition extends DomainError {}
/** The position lies past the end. */
export class OutOfRange extends DomainError {}
/** The operating system refuses. */
export class PermissionDenied extends DomainError {}
/** A limit was hit: wait, or ask for less. */
export class LimitExceeded extends DomainError {
  override readonly retryable = true;
}
/** The call was given up in its midst: begin it again from where it stood. */
export class Aborted extends DomainError {
  override readonly retryable = true;
}
/** This server cannot do that here. */
export class Unsupported extends DomainError {}
/** The server is going away: try again, or elsewhere. */
export class Unavailable extends DomainError {
  override readonly retryable = true;
}
