import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReasonSchema } from "@yonder/proto";
import type { ErrorDetail, ErrorReason as WireReason } from "@yonder/proto";
import {
  AlreadyExists,
  Authentication,
  Conflict,
  InstanceChanged,
  InvalidRequest,
  InvalidState,
  LimitExceeded,
  NotFound,
  PermissionDenied,
  ServerError,
  Unavailable,
  Unsupported,
  YonderError,
} from "../errors.ts";
import type { ErrorReason, YonderErrorOptions } from "../errors.ts";
import { invalidOption } from "../invalid-option.ts";
import { durationToMs, enumName } from "./wire-values.ts";

/** The one place where an error of the wire becomes one of ours. */
export function toYonderError(error: unknown, serverVersion = ""): YonderError {
  if (YonderError.is(error)) return error;
  const status = ConnectError.from(error);
  const detail = errorDetail(status);
  const [, field, type, given] = (detail === undefined && unencodable.exec(status.rawMessage)) || [];
  if (field !== undefined && type !== undefined) {
    return invalidOption(camelCase(field), `must be a whole number from ${ranges[type]}, got ${given}`, error);
  }
  const reason = detail ? (enumName(ErrorReasonSchema, detail.reason) ?? "UNKNOWN") : "UNKNOWN";
  const message = status.rawMessage || "the call failed";
  const options: YonderErrorOptions = {
    reason: reason as ErrorReason,
    subject: detail?.subject,
    remedy: detail?.remedy,
    retryable: detail?.retryable,
    retryDelayMs: durationToMs(detail?.retryDelay),
    cause: error,
  };
  return build[kindByReason[reason as SentReason] ?? kindByCode[status.code] ?? "ServerError"](message, options, {
    detail,
    serverVersion,
  });
}

/** A number that a request cannot have, in the words of Connect and protobuf: nothing was sent. */
const unencodable = /^serialize binary: cannot encode field (?:\w+\.)*(\w+) to binary: invalid (u?int(?:32|64)): (.*)$/;

const ranges: Readonly<Record<string, string>> = {
  int32: "-2147483648 to 2147483647",
  uint32: "0 to 4294967295",
  int64: "-9223372036854775808 to 9223372036854775807",
  uint64: "0 to 18446744073709551615",
};

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** What the server says about an error, for programs. Undefined where it was not our server that spoke. */
export function errorDetail(error: ConnectError): ErrorDetail | undefined {
  return error.findDetails(ErrorDetailSchema)[0];
}

/** Every reason of the contract but the one that is never sent. */
type SentReason = Exclude<keyof typeof WireReason, "UNSPECIFIED">;

type Kind = keyof typeof build;

interface Context {
  readonly detail: ErrorDetail | undefined;
  readonly serverVersion: string;
}

const build = {
  AlreadyExists: (message: string, options: YonderErrorOptions) => new AlreadyExists(message, options),
  Authentication: (message: string, options: YonderErrorOptions) => new Authentication(message, options),
  Conflict: (message: string, options: YonderErrorOptions, { detail }: Context) =>
    new Conflict(message, { ...options, expectedOffset: toNumber(detail?.expectedOffset), etag: detail?.etag }),
  InstanceChanged: (message: string, options: YonderErrorOptions, { detail }: Context) =>
    new InstanceChanged(message, {
      ...options,
      workspaceId: detail?.workspaceId ?? "",
      instanceId: detail?.instanceId ?? "",
    }),
  InvalidRequest: (message: string, options: YonderErrorOptions) => new InvalidRequest(message, options),
  InvalidState: (message: string, options: YonderErrorOptions) => new InvalidState(message, options),
  LimitExceeded: (message: string, options: YonderErrorOptions, { detail }: Context) =>
    new LimitExceeded(message, {
      ...options,
      limit: detail?.limit && { name: detail.limit.name, value: Number(detail.limit.value) },
    }),
  NotFound: (message: string, options: YonderErrorOptions) => new NotFound(message, options),
  PermissionDenied: (message: string, options: YonderErrorOptions) => new PermissionDenied(message, options),
  ServerError: (message: string, options: YonderErrorOptions) => new ServerError(message, options),
  Unavailable: (message: string, options: YonderErrorOptions) => new Unavailable(message, options),
  Unsupported: (message: string, options: YonderErrorOptions, { detail, serverVersion }: Context) =>
    new Unsupported(message, { ...options, feature: detail?.subject ?? "", serverVersion }),
};

/** The class for each reason, by what the caller can do about it. */
export const kindByReason: Readonly<Record<SentReason, Kind>> = {
  INVALID_FIELD: "InvalidRequest",
  MISSING_FIELD: "InvalidRequest",
  // The server is older than the option: what it would have done without it is not what was asked for.
  UNKNOWN_FIELD: "Unsupported",
  UNKNOWN_SIGNAL: "InvalidRequest",
  ARGUMENTS_TOO_LARGE: "InvalidRequest",
  CREDENTIALS_MISSING: "Authentication",
  CREDENTIALS_INVALID: "Authentication",
  EXEC_NOT_FOUND: "NotFound",
  EXEC_EXPIRED: "NotFound",
  DIRECTORY_NOT_FOUND: "NotFound",
  PROGRAM_NOT_FOUND: "NotFound",
  USER_NOT_FOUND: "NotFound",
  EXEC_ID_CONFLICT: "AlreadyExists",
  REQUEST_ID_CONFLICT: "AlreadyExists",
  NOT_A_DIRECTORY: "InvalidState",
  PROGRAM_NOT_EXECUTABLE: "InvalidState",
  NOT_A_TERMINAL: "InvalidState",
  EXEC_ENDED: "InvalidState",
  STDIN_CLOSED: "InvalidState",
  STDIN_OFFSET_GAP: "Conflict",
  INSTANCE_CHANGED: "InstanceChanged",
  CURSOR_OUT_OF_RANGE: "Conflict",
  ACCESS_DENIED: "PermissionDenied",
  LIMIT_EXCEEDED: "LimitExceeded",
  MACHINE_EXHAUSTED: "LimitExceeded",
  STORAGE_FULL: "LimitExceeded",
  READER_STALLED: "Conflict",
  TERMINAL_UNSUPPORTED: "Unsupported",
  LIMIT_UNSUPPORTED: "Unsupported",
  USER_UNSUPPORTED: "Unsupported",
  SERVER_STOPPING: "Unavailable",
  INTERNAL: "ServerError",
  FILE_NOT_FOUND: "NotFound",
  UPLOAD_NOT_FOUND: "NotFound",
  FILE_EXISTS: "AlreadyExists",
  UPLOAD_ID_CONFLICT: "AlreadyExists",
  IS_A_DIRECTORY: "InvalidState",
  NOT_A_REGULAR_FILE: "InvalidState",
  FILE_BUSY: "InvalidState",
  DIRECTORY_NOT_EMPTY: "InvalidState",
  ETAG_MISMATCH: "Conflict",
  UPLOAD_OFFSET_MISMATCH: "Conflict",
  CHUNK_CORRUPT: "Conflict",
  DIGEST_MISMATCH: "InvalidRequest",
  SIZE_MISMATCH: "InvalidRequest",
  FILE_CHANGED: "Conflict",
  PATH_OUTSIDE_ROOT: "PermissionDenied",
  READ_ONLY_FILE_SYSTEM: "InvalidState",
  ENTRY_REFUSED: "InvalidRequest",
  UPLOAD_TAKEN_OVER: "Conflict",
  REGEX_UNSUPPORTED: "Unsupported",
  FILE_SYSTEM_REFUSED: "InvalidState",
  NOT_A_REPOSITORY: "InvalidState",
  BARE_REPOSITORY: "InvalidState",
  REF_NOT_FOUND: "NotFound",
  REMOTE_NOT_FOUND: "NotFound",
  REMOTE_UNREACHABLE: "Unavailable",
  AUTHENTICATION_FAILED: "PermissionDenied",
  HOST_KEY_UNVERIFIED: "PermissionDenied",
  PUSH_REJECTED: "Conflict",
  GIT_CONFLICT: "Conflict",
  GIT_LOCKED: "Unavailable",
  GIT_NOT_INSTALLED: "Unsupported",
  NOTHING_TO_COMMIT: "InvalidState",
  GIT_IDENTITY_MISSING: "InvalidState",
  BRANCH_EXISTS: "AlreadyExists",
  GIT_TIMED_OUT: "Unavailable",
  OPERATION_CANCELLED: "InvalidState",
  OPERATION_NOT_FOUND: "NotFound",
  GIT_FAILED: "InvalidState",
};

/** For what is not our server's word: a proxy's answer, the stack's own refusal, a reason newer than this client. */
const kindByCode: Readonly<Partial<Record<Code, Kind>>> = {
  [Code.InvalidArgument]: "InvalidRequest",
  [Code.Unauthenticated]: "Authentication",
  [Code.PermissionDenied]: "PermissionDenied",
  [Code.NotFound]: "NotFound",
  [Code.AlreadyExists]: "AlreadyExists",
  [Code.FailedPrecondition]: "InvalidState",
  [Code.OutOfRange]: "Conflict",
  [Code.ResourceExhausted]: "LimitExceeded",
  [Code.Unimplemented]: "Unsupported",
  [Code.Unavailable]: "Unavailable",
};

function toNumber(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
