import { ConnectError } from "@connectrpc/connect";
import { errorDetail } from "../connection/error-map.ts";
import { YonderError } from "../errors.ts";
import type { ErrorReason } from "../errors.ts";
import { pathText } from "./wire-path.ts";
import type { PathLike } from "./wire-path.ts";

/** What `fs` adds to its errors, so that they read like those of `node:fs/promises`. */
export interface SystemErrorFields {
  /** The system's name of the error: "ENOENT", "EEXIST", "ENOSPC" … */
  readonly code: string;
  readonly syscall: string;
  readonly path: string;
}

/** Runs an act of `fs`; an error of the workspace's file system gets the fields that Node's have. */
export async function withSystemCode<T>(syscall: string, path: PathLike, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw addSystemCode(error, syscall, path);
  }
}

export function addSystemCode(error: unknown, syscall: string, path: PathLike): unknown {
  const code = systemCodeOf(error);
  if (code === undefined || !(error instanceof Error)) return error;
  return Object.assign(error, { code, syscall, path: pathText(path) } satisfies SystemErrorFields);
}

/** The system's name of what went wrong, in the workspace or on this machine; undefined for what is not of a file system. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!YonderError.is(error)) {
    const { code, errno } = error as NodeJS.ErrnoException;
    return error instanceof Error && typeof code === "string" && errno !== undefined ? code : undefined;
  }
  const told = error.cause instanceof ConnectError ? errorDetail(error.cause)?.systemCode : undefined;
  return told || codes[error.reason];
}

/** For what our server noticed before the system did. */
const codes: Readonly<Partial<Record<ErrorReason, string>>> = {
  FILE_NOT_FOUND: "ENOENT",
  FILE_EXISTS: "EEXIST",
  IS_A_DIRECTORY: "EISDIR",
  NOT_A_DIRECTORY: "ENOTDIR",
  NOT_A_REGULAR_FILE: "EINVAL",
  DIRECTORY_NOT_EMPTY: "ENOTEMPTY",
  FILE_BUSY: "EBUSY",
  ACCESS_DENIED: "EACCES",
  PATH_OUTSIDE_ROOT: "EACCES",
  READ_ONLY_FILE_SYSTEM: "EROFS",
  STORAGE_FULL: "ENOSPC",
  MACHINE_EXHAUSTED: "EMFILE",
  ETAG_MISMATCH: "ESTALE",
  FILE_CHANGED: "ESTALE",
  SIZE_MISMATCH: "EIO",
  DIGEST_MISMATCH: "EIO",
  ENTRY_REFUSED: "EINVAL",
};
