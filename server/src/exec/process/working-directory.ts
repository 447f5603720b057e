import { closeSync, constants, existsSync, openSync, realpathSync } from "node:fs";
import { isUtf8 } from "node:buffer";
import { FailedPrecondition, NotFound, PermissionDenied } from "../../util/errors.ts";

export interface WorkingDirectory {
  /** What to start the process in, and to look programs up from. */
  readonly path: string;
  /** What the caller calls it, absolute; for PWD. Undefined where it is no UTF-8. */
  readonly logicalPath: string | undefined;
  close(): void;
}

/**
 * Opens the directory that a command starts in, relative to the workspace's. What is opened is what is used: the process
 * starts in /proc/self/fd/N, so nothing can be put in its place meanwhile, and its name may be any bytes, while Node
 * takes only strings.
 */
export function openWorkingDirectory(workspace: Buffer, asked: Buffer | undefined): WorkingDirectory {
  const path = absolute(workspace, asked);
  const fd = open(path);
  if (!viaProc) {
    closeSync(fd);
    return { path: path.toString(), logicalPath: logicalPath(path), close: () => {} };
  }
  return { path: `/proc/self/fd/${fd}`, logicalPath: logicalPath(path), close: () => closeSync(fd) };
}

const viaProc = existsSync("/proc/self/fd");
const SLASH = 0x2f;

function absolute(workspace: Buffer, asked: Buffer | undefined): Buffer {
  if (asked === undefined || asked.length === 0) return workspace;
  return asked[0] === SLASH ? asked : Buffer.concat([workspace, Buffer.from("/"), asked]);
}

function open(path: Buffer): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw directoryError(error as NodeJS.ErrnoException, path.toString());
  }
}

function directoryError(error: NodeJS.ErrnoException, path: string): Error {
  const context = { subject: path, cause: error };
  switch (error.code) {
    case "ENOENT":
      return new NotFound("DIRECTORY_NOT_FOUND", `There is no directory ${JSON.stringify(path)}.`, {
        ...context,
        remedy: "Make it first, or choose another `working_directory`.",
      });
    case "ENOTDIR":
      return new FailedPrecondition("NOT_A_DIRECTORY", `${JSON.stringify(path)} is not a directory.`, context);
    case "ELOOP":
    case "ENAMETOOLONG":
      return new NotFound("DIRECTORY_NOT_FOUND", `${JSON.stringify(path)} leads nowhere: ${error.message}.`, context);
    case "EACCES":
    case "EPERM":
      return new PermissionDenied("ACCESS_DENIED", `The server may not enter ${JSON.stringify(path)}.`, {
        ...context,
        remedy: "Grant the server's user access, or choose another `working_directory`.",
      });
    default:
      return error;
  }
}

/** Shells refuse a PWD with "." or ".." in it, and ".." after a link is not the folder before it: ask the system then. */
function logicalPath(path: Buffer): string | undefined {
  if (!isUtf8(path)) return undefined;
  const parts = path
    .toString()
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (!parts.includes("..")) return `/${parts.join("/")}`;
  try {
    const real = realpathSync(path, "buffer");
    return isUtf8(real) ? real.toString() : undefined;
  } catch {
    return undefined;
  }
}
