import {
  AlreadyExists,
  DomainError,
  FailedPrecondition,
  LimitExceeded,
  NotFound,
  PermissionDenied,
} from "../util/errors.ts";
import type { ErrorContext, ErrorReason } from "../util/errors.ts";
import { pathText } from "./path-bytes.ts";

/**
 * What the operating system said of a path, as the domain's error: the one place where errno gets a meaning. Anything
 * that is no such error comes back as it is.
 */
export function fileError(error: unknown, path: Uint8Array): unknown {
  if (error instanceof DomainError) return error;
  const code = systemCode(error);
  if (code === undefined) return error;
  const subject = pathText(path);
  const context: ErrorContext = { subject, systemCode: code, cause: error };
  const { ErrorClass, reason, text, remedy } = meanings[code] ?? refused;
  if (remedy !== undefined) context.remedy = remedy;
  return new ErrorClass(reason, `${text}: ${subject}${reason === "FILE_SYSTEM_REFUSED" ? ` (${code})` : ""}`, context);
}

/** Runs `act` and turns what the operating system says into the domain's error about `path`. */
export async function withPath<T>(path: Uint8Array, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw fileError(error, path);
  }
}

/** The name of the system's error, for example "ENOENT"; undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("errno" in error)) return undefined;
  const { code, errno } = error as NodeJS.ErrnoException;
  // libuv has no name for it, and Node makes one up: "Unknown system error -122".
  if (errno === -quotaExceeded) return "EDQUOT";
  return typeof code === "string" ? code : undefined;
}

/** Whether an error says that nothing is there. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

interface Meaning {
  readonly ErrorClass: new (reason: ErrorReason, message: string, context: ErrorContext) => DomainError;
  readonly reason: ErrorReason;
  readonly text: string;
  readonly remedy?: string;
}

const quotaExceeded = 122;

const refused: Meaning = {
  ErrorClass: FailedPrecondition,
  reason: "FILE_SYSTEM_REFUSED",
  text: "The file system cannot do that here",
};
const denied: Meaning = { ErrorClass: PermissionDenied, reason: "ACCESS_DENIED", text: "Permission denied" };
const busy: Meaning = { ErrorClass: FailedPrecondition, reason: "FILE_BUSY", text: "In use, or a mount point" };
const full: Meaning = { ErrorClass: LimitExceeded, reason: "STORAGE_FULL", text: "No space is left" };
const exhausted: Meaning = {
  ErrorClass: LimitExceeded,
  reason: "MACHINE_EXHAUSTED",
  text: "The machine has no more open files or memory",
};

const meanings: Readonly<Record<string, Meaning>> = {
  ENOENT: { ErrorClass: NotFound, reason: "FILE_NOT_FOUND", text: "No such file or directory" },
  EEXIST: { ErrorClass: AlreadyExists, reason: "FILE_EXISTS", text: "Something is there already" },
  ENOTDIR: { ErrorClass: FailedPrecondition, reason: "NOT_A_DIRECTORY", text: "Not a directory" },
  EISDIR: { ErrorClass: FailedPrecondition, reason: "IS_A_DIRECTORY", text: "Is a directory" },
  ENOTEMPTY: { ErrorClass: FailedPrecondition, reason: "DIRECTORY_NOT_EMPTY", text: "The directory is not empty" },
  EROFS: {
    ErrorClass: FailedPrecondition,
    reason: "READ_ONLY_FILE_SYSTEM",
    text: "The file system is mounted read-only",
  },
  EACCES: denied,
  EPERM: denied,
  EBUSY: busy,
  ETXTBSY: busy,
  ENOSPC: full,
  EDQUOT: { ...full, text: "The quota is used up" },
  ENAMETOOLONG: { ...refused, text: "A name or the whole path is too long" },
  ELOOP: { ...refused, text: "Too many symbolic links" },
  EFBIG: { ...refused, text: "The file would be larger than the file system or a limit of the server takes" },
  EMFILE: exhausted,
  ENFILE: exhausted,
  ENOMEM: exhausted,
};
