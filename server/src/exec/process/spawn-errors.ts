import {
  DomainError,
  FailedPrecondition,
  InvalidRequest,
  LimitExceeded,
  PermissionDenied,
  Unsupported,
} from "../../util/errors.ts";

export interface SpawnContext {
  /** The program as it was asked for, and its arguments; the shell alone for a shell line. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string | undefined;
}

/** MAX_ARG_STRLEN of Linux, its final NUL included: 32 pages of 4 KiB, the least there are. */
const MOST_VALUE_BYTES = 32 * 4096;

/**
 * Refuses a value that the kernel would. It is not left to the kernel alone: where a child's descriptors are covered, libuv
 * may lose the word of a failed exec, and the command would seem to have run and exited with 127.
 */
export function assertValuesFit(context: SpawnContext): void {
  if (process.platform !== "linux") return;
  const values = [...context.args, ...Object.entries(context.environment).map((entry) => entry.join("="))];
  if (values.some((value) => Buffer.byteLength(value) >= MOST_VALUE_BYTES)) throw tooLarge(context);
}

/**
 * What the kernel still refuses after the directory, the program and the user were found. What else went wrong is the server's own affair, unless the
 * machine has run out of something.
 */
export function spawnError(error: unknown, { args, environment, user }: SpawnContext): Error {
  if (error instanceof DomainError) return error;
  const program = args[0] ?? "";
  const { code = "", message, syscall } = error as NodeJS.ErrnoException;
  const fromSpawn = syscall?.startsWith("spawn") === true;
  const named = JSON.stringify(program);
  switch (fromSpawn || Object.hasOwn(exhausted, code) ? code : "") {
    case "E2BIG":
      return tooLarge({ args, environment, user }, error);
    case "EAGAIN":
    case "ENOMEM":
    case "EMFILE":
    case "ENFILE":
    case "ENOSPC":
      return new LimitExceeded(
        "MACHINE_EXHAUSTED",
        `The machine has nothing left to start ${named} with: ${exhausted[code]}.`,
        {
          subject: program,
          remedy: "Wait until other commands have ended, or raise the machine's limits.",
          retryDelayMs: 1000,
          cause: error,
        },
      );
    case "ENOENT":
      return unfit(program, "it, or the loader that its first bytes name, is gone", error);
    case "ENOEXEC":
    case "ELIBBAD":
      return unfit(program, "the kernel does not know its format", error);
    case "ETXTBSY":
      return unfit(program, "it is open for writing", error);
    case "EPERM":
      if (user === undefined) break;
      return new Unsupported(
        "USER_UNSUPPORTED",
        `The kernel does not let the server become the user ${JSON.stringify(user)}.`,
        {
          subject: user,
          remedy: "Leave `user` empty, or run the server as root with CAP_SETUID and CAP_SETGID.",
          cause: error,
        },
      );
    default:
  }
  if (fromSpawn && (code === "EACCES" || code === "EPERM")) {
    return new PermissionDenied("ACCESS_DENIED", `The kernel refuses to run ${named}: ${message}.`, {
      subject: program,
      cause: error,
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}

const exhausted: Record<string, string> = {
  EAGAIN: "no more processes",
  ENOMEM: "no more memory",
  EMFILE: "no more open files for the server",
  ENFILE: "no more open files",
  ENOSPC: "no more space",
};

function sizeOf(args: readonly string[], environment: Readonly<Record<string, string>>): number {
  const texts = [...args, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
}

function tooLarge({ args, environment }: SpawnContext, cause?: unknown): InvalidRequest {
  const program = args[0] ?? "";
  return new InvalidRequest(
    "ARGUMENTS_TOO_LARGE",
    `The arguments and the environment of ${JSON.stringify(program)} have ${sizeOf(args, environment)} bytes; the kernel takes 128 KiB a value and a quarter of the stack limit in all.`,
    {
      subject: program,
      remedy: "Send the text by standard input or in a file, or as a shell line, which may be long.",
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

function unfit(program: string, why: string, cause: unknown): Error {
  return new FailedPrecondition(
    "PROGRAM_NOT_EXECUTABLE",
    `The program ${JSON.stringify(program)} cannot be run: ${why}.`,
    {
      subject: program,
      cause,
    },
  );
}
