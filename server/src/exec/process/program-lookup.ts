import { accessSync, constants, statSync } from "node:fs";
import { FailedPrecondition, NotFound, PermissionDenied } from "../../util/errors.ts";
import { DEFAULT_PATH } from "./environment.ts";
import { faultOfFormat } from "./program-format.ts";

/** Why the kernel would not run a file. */
export interface ProgramFault {
  readonly kind: "missing" | "denied" | "unfit";
  /** To go after "cannot be run: ". */
  readonly why: string;
  readonly remedy?: string;
}

/**
 * Finds what execvp(3) would run, before anything runs, so that each way to fail has its own name: execve(2) says ENOENT
 * for a missing program, a missing interpreter and a missing directory alike.
 *
 * A program without "/" is looked up in `searchPath`. The answer is relative to `directory`, as everything in it.
 */
export function findProgram(program: string, searchPath: string | undefined, directory: string): string {
  if (program.includes("/")) {
    const fault = faultOf(program, directory);
    if (fault === undefined) return program;
    throw failure(program, program, fault);
  }
  let worst: { readonly path: string; readonly fault: ProgramFault } | undefined;
  for (const folder of (searchPath ?? DEFAULT_PATH).split(":")) {
    // An empty entry is the working directory. What is found must hold a "/", or it would be looked up again.
    const path = `${folder === "" ? "." : folder}/${program}`;
    const fault = faultOf(path, directory);
    if (fault === undefined) return path;
    // As the shells: go on, and report the one that is there if no other is found. What may be in a folder that we may
    // not enter is not there.
    if (fault.kind === "unfit") worst ??= { path, fault };
  }
  if (worst !== undefined) throw failure(program, worst.path, worst.fault);
  throw new NotFound(
    "PROGRAM_NOT_FOUND",
    `There is no program ${JSON.stringify(program)} in the command's PATH, ${JSON.stringify(searchPath ?? DEFAULT_PATH)}.`,
    { subject: program, remedy: "Install it, give its path, or set PATH in `environment.variables`." },
  );
}

/** Where the first of these programs is that the server itself can run; undefined where there is none. */
export function findFirst(programs: readonly string[], searchPath: string | undefined): string | undefined {
  for (const program of programs) {
    for (const folder of (searchPath ?? DEFAULT_PATH).split(":")) {
      const path = `${folder}/${program}`;
      if (folder.startsWith("/") && faultOf(path, "/") === undefined) return path;
    }
  }
  return undefined;
}

/** Undefined where the kernel would run it, as far as can be told. */
function faultOf(path: string, directory: string): ProgramFault | undefined {
  const file = path.startsWith("/") ? path : `${directory}/${path}`;
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return { kind: "missing", why: "it does not exist" };
    if (stat.isDirectory()) return { kind: "unfit", why: "it is a directory" };
    if (!stat.isFile()) return { kind: "unfit", why: "it is no regular file" };
    // Root may do everything but run what has no x bit at all.
    accessSync(file, constants.X_OK);
  } catch (error) {
    return faultOfError(error as NodeJS.ErrnoException, path);
  }
  return faultOfFormat(file, directory);
}

function faultOfError(error: NodeJS.ErrnoException, path: string): ProgramFault {
  if (error.code !== "EACCES" && error.code !== "EPERM") return { kind: "unfit", why: error.message };
  if (error.syscall !== "access") return { kind: "denied", why: "permission denied" };
  return {
    kind: "unfit",
    why: "it is not executable, or its file system is mounted noexec",
    remedy: `Make it executable: chmod +x ${path}`,
  };
}

function failure(program: string, path: string, fault: ProgramFault): Error {
  const named = program === path ? JSON.stringify(program) : `${JSON.stringify(program)} (${path})`;
  if (fault.kind === "missing") {
    return new NotFound("PROGRAM_NOT_FOUND", `There is no program ${named}.`, {
      subject: program,
      remedy: "A path is relative to the command's working directory.",
    });
  }
  const context = { subject: program, ...(fault.remedy === undefined ? {} : { remedy: fault.remedy }) };
  return fault.kind === "denied"
    ? new PermissionDenied("ACCESS_DENIED", `The program ${named} cannot be reached: ${fault.why}.`, context)
    : new FailedPrecondition("PROGRAM_NOT_EXECUTABLE", `The program ${named} cannot be run: ${fault.why}.`, context);
}
