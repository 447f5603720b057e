import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason as ContractReason } from "@yonder/proto";
import { DomainError } from "../util/errors.ts";
import { toTreeReport } from "./tree-report.ts";
import { truncateUtf8 } from "./truncate-utf8.ts";

/** Every reason of the contract but the one that is never sent. */
type SentReason = Exclude<keyof typeof ContractReason, "UNSPECIFIED">;

/** The one place that says which status goes with a reason. */
export const codeByReason: Readonly<Record<SentReason, Code>> = {
  INVALID_FIELD: Code.InvalidArgument,
  MISSING_FIELD: Code.InvalidArgument,
  UNKNOWN_FIELD: Code.InvalidArgument,
  UNKNOWN_SIGNAL: Code.InvalidArgument,
  ARGUMENTS_TOO_LARGE: Code.InvalidArgument,
  CREDENTIALS_MISSING: Code.Unauthenticated,
  CREDENTIALS_INVALID: Code.Unauthenticated,
  EXEC_NOT_FOUND: Code.NotFound,
  EXEC_EXPIRED: Code.NotFound,
  DIRECTORY_NOT_FOUND: Code.NotFound,
  PROGRAM_NOT_FOUND: Code.NotFound,
  USER_NOT_FOUND: Code.NotFound,
  EXEC_ID_CONFLICT: Code.AlreadyExists,
  REQUEST_ID_CONFLICT: Code.AlreadyExists,
  NOT_A_DIRECTORY: Code.FailedPrecondition,
  PROGRAM_NOT_EXECUTABLE: Code.FailedPrecondition,
  NOT_A_TERMINAL: Code.FailedPrecondition,
  EXEC_ENDED: Code.FailedPrecondition,
  STDIN_CLOSED: Code.FailedPrecondition,
  STDIN_OFFSET_GAP: Code.FailedPrecondition,
  INSTANCE_CHANGED: Code.FailedPrecondition,
  CURSOR_OUT_OF_RANGE: Code.OutOfRange,
  ACCESS_DENIED: Code.PermissionDenied,
  LIMIT_EXCEEDED: Code.ResourceExhausted,
  MACHINE_EXHAUSTED: Code.ResourceExhausted,
  STORAGE_FULL: Code.ResourceExhausted,
  READER_STALLED: Code.Aborted,
  TERMINAL_UNSUPPORTED: Code.Unimplemented,
  LIMIT_UNSUPPORTED: Code.Unimplemented,
  USER_UNSUPPORTED: Code.Unimplemented,
  SERVER_STOPPING: Code.Unavailable,
  INTERNAL: Code.Internal,
  FILE_NOT_FOUND: Code.NotFound,
  UPLOAD_NOT_FOUND: Code.NotFound,
  FILE_EXISTS: Code.AlreadyExists,
  UPLOAD_ID_CONFLICT: Code.AlreadyExists,
  IS_A_DIRECTORY: Code.FailedPrecondition,
  NOT_A_REGULAR_FILE: Code.FailedPrecondition,
  FILE_BUSY: Code.FailedPrecondition,
  DIRECTORY_NOT_EMPTY: Code.FailedPrecondition,
  ETAG_MISMATCH: Code.FailedPrecondition,
  UPLOAD_OFFSET_MISMATCH: Code.FailedPrecondition,
  CHUNK_CORRUPT: Code.Aborted,
  DIGEST_MISMATCH: Code.InvalidArgument,
  SIZE_MISMATCH: Code.InvalidArgument,
  FILE_CHANGED: Code.Aborted,
  PATH_OUTSIDE_ROOT: Code.PermissionDenied,
  READ_ONLY_FILE_SYSTEM: Code.FailedPrecondition,
  ENTRY_REFUSED: Code.InvalidArgument,
  UPLOAD_TAKEN_OVER: Code.Aborted,
  REGEX_UNSUPPORTED: Code.Unimplemented,
  FILE_SYSTEM_REFUSED: Code.FailedPrecondition,
  NOT_A_REPOSITORY: Code.FailedPrecondition,
  BARE_REPOSITORY: Code.FailedPrecondition,
  REF_NOT_FOUND: Code.NotFound,
  REMOTE_NOT_FOUND: Code.NotFound,
  REMOTE_UNREACHABLE: Code.Aborted,
  AUTHENTICATION_FAILED: Code.PermissionDenied,
  HOST_KEY_UNVERIFIED: Code.FailedPrecondition,
  PUSH_REJECTED: Code.FailedPrecondition,
  GIT_CONFLICT: Code.FailedPrecondition,
  GIT_LOCKED: Code.Aborted,
  GIT_NOT_INSTALLED: Code.Unimplemented,
  NOTHING_TO_COMMIT: Code.FailedPrecondition,
  GIT_IDENTITY_MISSING: Code.FailedPrecondition,
  BRANCH_EXISTS: Code.AlreadyExists,
  GIT_TIMED_OUT: Code.Aborted,
  OPERATION_CANCELLED: Code.Aborted,
  OPERATION_NOT_FOUND: Code.NotFound,
  GIT_FAILED: Code.FailedPrecondition,
};

/** Called with what a caller must not see: the cause of an INTERNAL, and the id that the caller is told. */
export type OnInternalError = (id: string, cause: unknown) => void;

/**
 * What a caller is told of an error: a DomainError with its reason, an error of the stack itself (a deadline, a message
 * too large) as it is, and anything else as INTERNAL under a random id.
 */
export function toConnectError(error: unknown, onInternal: OnInternalError): ConnectError {
  if (error instanceof DomainError) {
    const connectError = describe(error);
    if (error.reason === "INTERNAL") onInternal(error.context.subject ?? "", error);
    return connectError;
  }
  if (error instanceof ConnectError) return error;
  const id = randomUUID();
  onInternal(id, error);
  return internal(id);
}

function describe(error: DomainError): ConnectError {
  const { subject, remedy, retryDelayMs, limit, expectedOffset, instanceId, workspaceId } = error.context;
  const { etag, systemCode, tree } = error.context;
  const value: MessageInitShape<typeof ErrorDetailSchema> = {
    reason: ContractReason[error.reason],
    subject: truncateUtf8(subject ?? "", maxSubjectBytes),
    remedy: truncateUtf8(remedy ?? "", maxSubjectBytes),
    retryable: error.retryable,
    instanceId: instanceId ?? "",
    workspaceId: workspaceId ?? "",
    etag: etag ?? "",
    systemCode: systemCode ?? "",
  };
  if (retryDelayMs !== undefined) value.retryDelay = durationFromMs(retryDelayMs);
  if (limit !== undefined) value.limit = { name: limit.name, value: BigInt(limit.value) };
  if (expectedOffset !== undefined) value.expectedOffset = BigInt(expectedOffset);
  if (tree !== undefined) value.tree = toTreeReport({ ...tree, skippedNames: [] });
  const message = truncateUtf8(error.message, maxMessageBytes);
  return new ConnectError(message, codeByReason[error.reason], undefined, [{ desc: ErrorDetailSchema, value }], error);
}

function internal(id: string): ConnectError {
  const value = { reason: ContractReason.INTERNAL, subject: id };
  const message = `The server failed; its log has the cause under ${id}`;
  return new ConnectError(message, Code.Internal, undefined, [{ desc: ErrorDetailSchema, value }]);
}

/**
 * gRPC sends an error in trailers, the message twice and percent-encoded, and common clients refuse trailers over 8 KiB
 * altogether. So what came from a request (a 4 KiB path, a 300 KB command) is cut.
 */
const maxMessageBytes = 1024;
const maxSubjectBytes = 512;
