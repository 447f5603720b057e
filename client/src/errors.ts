import type { ErrorReason as WireReason } from "@yonder/proto";
import type { CommandResult, ExecEnd } from "./exec/results.ts";

/** Marks our errors, so that those of another copy of this package are known as well. */
const kinds = Symbol.for("yonder.error.kinds");

/** What went wrong, for programs: the reasons of the contract (docs/errors.md), and those that only a client has. */
export type ErrorReason =
  | Exclude<keyof typeof WireReason, "UNSPECIFIED">
  /** A `signal` was aborted. */
  | "ABORTED"
  /** The server's certificate is not trusted, or names another host. */
  | "CERTIFICATE_REJECTED"
  /** A command that had to succeed did not (`check: true`). */
  | "COMMAND_FAILED"
  /** An image could not be built. */
  | "BUILD_FAILED"
  /** The connection broke and did not come back in time. */
  | "CONNECTION_LOST"
  /** Nothing answers at the address, or something that is no Yonder server. */
  | "CONNECTION_REFUSED"
  /** The container of the workspace was removed by somebody. */
  | "CONTAINER_GONE"
  /** The container was killed since it was out of memory. */
  | "CONTAINER_OUT_OF_MEMORY"
  /** The container is paused. */
  | "CONTAINER_PAUSED"
  /** The container does not run any more: it was stopped, or its engine was. */
  | "CONTAINER_STOPPED"
  /** The server in the image speaks an older or newer contract than this client. */
  | "CONTRACT_MISMATCH"
  /** The engine refuses this user. */
  | "ENGINE_DENIED"
  /** The engine said something that this client does not know. */
  | "ENGINE_FAILED"
  /** The engine that would run the workspace is not installed, or does not answer. */
  | "ENGINE_MISSING"
  /** What is there under the image's name is no image, or none for this engine and machine. */
  | "IMAGE_INVALID"
  /** There is no such image, or it may not be had. */
  | "IMAGE_NOT_FOUND"
  /** The registry does not give the image, or cannot be reached. */
  | "IMAGE_PULL_FAILED"
  /** Another container or instance has the name. */
  | "NAME_IN_USE"
  /** The workspace cannot do this, whatever its server. */
  | "NOT_SUPPORTED"
  /** Output that was asked for is no longer kept. */
  | "OUTPUT_LOST"
  /** The port of this machine is taken. */
  | "PORT_IN_USE"
  /** What was started ended before it served. */
  | "START_FAILED"
  /** What was started did not serve in time. */
  | "START_TIMED_OUT"
  /** The server said something that this client does not know. */
  | "UNKNOWN"
  /** The workspace was closed. */
  | "WORKSPACE_CLOSED"
  /** No container or instance of this name runs on this machine. */
  | "WORKSPACE_NOT_FOUND";

export interface YonderErrorOptions {
  reason: ErrorReason;
  subject?: string | undefined;
  remedy?: string | undefined;
  retryable?: boolean | undefined;
  retryDelayMs?: number | undefined;
  cause?: unknown;
}

/**
 * The base of every error that this package throws.
 *
 * `NotFound.is(error)` knows an error whichever copy of the package threw it; `instanceof` knows those of this copy.
 */
export class YonderError extends Error {
  static readonly kind: string = "YonderError";

  /** What went wrong, for programs. */
  readonly reason: ErrorReason;
  /** What it is about: a field's name, a path, an id, a program. Empty where there is nothing to name. */
  readonly subject: string;
  /** What to do about it, for people. Often empty: then the message says all there is. */
  readonly remedy: string;
  /** Whether the same call may succeed later, unchanged. */
  readonly retryable: boolean;
  /** How long to wait before the next try, in milliseconds. Undefined: no advice. */
  readonly retryDelayMs: number | undefined;
  readonly [kinds]: readonly string[];

  constructor(message: string, options: YonderErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.kind;
    this.reason = options.reason;
    this.subject = options.subject ?? "";
    this.remedy = options.remedy ?? "";
    this.retryable = options.retryable ?? false;
    this.retryDelayMs = options.retryDelayMs;
    this[kinds] = kindsOf(new.target);
  }

  /** Whether `value` is an error of this class, thrown by this copy of the package or another. */
  static is<T extends typeof YonderError>(this: T, value: unknown): value is InstanceType<T> {
    if (typeof value !== "object" || value === null) return false;
    const marks = (value as { [kinds]?: unknown })[kinds];
    return Array.isArray(marks) && marks.includes(this.kind);
  }
}

/** The request is wrong: mend it. The subject is the option, or the contract's field that it became. */
export class InvalidRequest extends YonderError {
  static override readonly kind: string = "InvalidRequest";
}

/** The server does not take the key, or there is none: send another. */
export class Authentication extends YonderError {
  static override readonly kind: string = "Authentication";
}

/** The operating system refuses the server access. The subject is the path, the program or the user. */
export class PermissionDenied extends YonderError {
  static override readonly kind: string = "PermissionDenied";
}

/** A command, directory, program or user is not there, or no longer (EXEC_EXPIRED). The subject names it. */
export class NotFound extends YonderError {
  static override readonly kind: string = "NotFound";
}

/** The id belongs to something else: take another. */
export class AlreadyExists extends YonderError {
  static override readonly kind: string = "AlreadyExists";
}

/** The thing is in a state in which this cannot be done: a command that has ended, a path that is no directory. */
export class InvalidState extends YonderError {
  static override readonly kind: string = "InvalidState";
}

/** The position that was given is not the server's: go on from the server's. */
export class Conflict extends YonderError {
  static override readonly kind: string = "Conflict";
  /** Where the server stands: an offset of standard input, or a cursor. */
  readonly expectedOffset: number | undefined;
  /** The present etag of the file. Empty where it is not about one, or there is none. */
  readonly etag: string;

  constructor(
    message: string,
    options: YonderErrorOptions & { expectedOffset?: number | undefined; etag?: string | undefined },
  ) {
    super(message, options);
    this.expectedOffset = options.expectedOffset;
    this.etag = options.etag ?? "";
  }
}

/** A limit of the server or of its machine was hit: wait, or ask for less. */
export class LimitExceeded extends YonderError {
  static override readonly kind: string = "LimitExceeded";
  /** The limit, by its name in `ServerInfo.limits`, and its value. Undefined where it is the machine's. */
  readonly limit: { readonly name: string; readonly value: number } | undefined;

  constructor(message: string, options: YonderErrorOptions & { limit?: { name: string; value: number } | undefined }) {
    super(message, options);
    this.limit = options.limit;
  }
}

/** This workspace cannot do that: the server is too old, or its machine lacks something. */
export class Unsupported extends YonderError {
  static override readonly kind: string = "Unsupported";
  /** What it cannot do: an option, a method, a kind of limit. */
  readonly feature: string;
  /** The server's version. Empty where no server was asked. */
  readonly serverVersion: string;

  constructor(message: string, options: YonderErrorOptions & { feature: string; serverVersion?: string | undefined }) {
    super(message, options);
    this.feature = options.feature;
    this.serverVersion = options.serverVersion ?? "";
  }
}

/** The server is going away and did not come back in time. Nothing was done: try later. */
export class Unavailable extends YonderError {
  static override readonly kind: string = "Unavailable";
}

/** The server failed. Its log has the cause under the id in the subject. */
export class ServerError extends YonderError {
  static override readonly kind: string = "ServerError";
}

/** Another workspace answers at the address than the one that was meant. Nothing was done there. */
export class InstanceChanged extends YonderError {
  static override readonly kind: string = "InstanceChanged";
  /** The workspace that answers. */
  readonly workspaceId: string;
  /** The server that answers. */
  readonly instanceId: string;

  constructor(message: string, options: YonderErrorOptions & { workspaceId: string; instanceId: string }) {
    super(message, options);
    this.workspaceId = options.workspaceId;
    this.instanceId = options.instanceId;
  }
}

/**
 * The connection could not be had, or broke and did not come back within `retry.maxElapsedMs`.
 *
 * A command runs on without its connection: `workspace.attach(error.execId, { cursor: error.cursor })` goes on where
 * this call stood.
 */
export class ConnectionLost extends YonderError {
  static override readonly kind: string = "ConnectionLost";
  /** The command that the call was about. Undefined where it was about none. */
  readonly execId: string | undefined;
  /** The cursor up to which its output was delivered. Undefined where none was read. */
  readonly cursor: number | undefined;
  /** Whether the server may have done what the call asked for. False: it surely has not. */
  readonly mayHaveRun: boolean;

  constructor(
    message: string,
    options: YonderErrorOptions & {
      execId?: string | undefined;
      cursor?: number | undefined;
      mayHaveRun: boolean;
    },
  ) {
    super(message, options);
    this.execId = options.execId;
    this.cursor = options.cursor;
    this.mayHaveRun = options.mayHaveRun;
  }
}

/** Output that was asked for is no longer kept, and this way of reading has no other way to say so. */
export class OutputLost extends YonderError {
  static override readonly kind: string = "OutputLost";
  /** The cursor of the first byte that is gone. */
  readonly beginCursor: number;
  /** The cursor to go on from. */
  readonly endCursor: number;

  constructor(message: string, options: YonderErrorOptions & { beginCursor: number; endCursor: number }) {
    super(message, options);
    this.beginCursor = options.beginCursor;
    this.endCursor = options.endCursor;
  }
}

/** What was started for a workspace does not serve: `log` says why. Nothing of it is left running. */
export class StartFailed extends YonderError {
  static override readonly kind: string = "StartFailed";
  /** The last lines that it printed. */
  readonly log: readonly string[];
  /** What it exited with. Undefined where it did not, or nobody knows. */
  readonly exitCode: number | undefined;

  constructor(
    message: string,
    options: YonderErrorOptions & { log: readonly string[]; exitCode?: number | undefined },
  ) {
    super(message, options);
    this.log = options.log;
    this.exitCode = options.exitCode;
  }
}

/** A command that had to succeed (`check: true`) did not. */
export class CommandFailed extends YonderError {
  static override readonly kind: string = "CommandFailed";
  /** What became of it. */
  readonly result: CommandResult;

  constructor(message: string, result: CommandResult) {
    super(message, { reason: "COMMAND_FAILED", subject: result.command });
    this.result = result;
  }
}

/** A `signal` was aborted. `cause` is the signal's own reason. */
export class AbortError extends YonderError {
  static override readonly kind: string = "AbortError";
  /** What the command of `executeCommand` had done up to then. Undefined where none was started. */
  readonly result: CommandResult | undefined;
  /** How the command ended, where `wait` of a handle rejects since the signal of its `spawn` was aborted. */
  readonly end: ExecEnd | undefined;

  constructor(
    message: string,
    options: {
      cause?: unknown;
      subject?: string | undefined;
      result?: CommandResult | undefined;
      end?: ExecEnd | undefined;
    } = {},
  ) {
    super(message, { reason: "ABORTED", cause: options.cause, subject: options.subject });
    this.result = options.result;
    this.end = options.end;
  }
}

/** The kinds of a class and of those above it. */
function kindsOf(type: typeof YonderError): string[] {
  const result: string[] = [];
  for (let each = type; each.kind !== undefined; each = Object.getPrototypeOf(each) as typeof YonderError) {
    result.push(each.kind);
  }
  return result;
}
