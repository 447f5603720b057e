/**
 * Why a command ended. A reason that this client does not know is `UNKNOWN`, and never a success.
 *
 * - `EXITED`: by itself; `exitCode` is its status.
 * - `SIGNALED`: by a signal that nobody sent through the workspace.
 * - `TIMED_OUT`, `IDLE_TIMED_OUT`: it ran, or printed nothing, for too long; all that it had started was ended.
 * - `KILLED`: by a signal sent through the workspace.
 * - `DISCONNECTED`: nobody was attached for `disconnectGraceMs`.
 * - `OUTPUT_LIMIT`: it printed more than `outputLimitBytes`.
 * - `OUT_OF_MEMORY`: the kernel ended it because memory ran out.
 * - `SERVER_STOPPED`: the server stopped and ended it.
 * - `SERVER_LOST`: the server was killed or crashed while it ran; how it ended is not known.
 */
export type EndReason =
  | "EXITED"
  | "SIGNALED"
  | "TIMED_OUT"
  | "IDLE_TIMED_OUT"
  | "KILLED"
  | "DISCONNECTED"
  | "OUTPUT_LIMIT"
  | "OUT_OF_MEMORY"
  | "SERVER_STOPPED"
  | "SERVER_LOST"
  | "UNKNOWN";

/** How a command ended. */
export interface ExecEnd {
  /** Why; the first cause where there were several. */
  readonly reason: EndReason;
  /**
   * Its exit status, 0 to 255; the negative number of the signal that ended it (−9 for SIGKILL); −1 if it timed out,
   * or how it ended is not known. Only 0 is a success.
   */
  readonly exitCode: number;
  /** The signal that ended it, for example "SIGKILL". Undefined where it exited. */
  readonly signal: string | undefined;
  /** Whether `timeoutMs` or `idleTimeoutMs` ended it; `reason` says which. */
  readonly timeoutOccurred: boolean;
  /** When it was started and when it ended, by the server's wall clock. */
  readonly startTime: Date | undefined;
  readonly endTime: Date | undefined;
  /** How long it ran, in milliseconds, by a clock that nobody sets. */
  readonly durationMs: number;
  /** How many bytes it printed to each stream, whoever read them. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** More about the end, for people. Often empty. */
  readonly message: string;
}

/** What became of a command. A command that fails has a result as one that succeeds has. */
export interface CommandResult {
  /** The command as it was given; a list of arguments is quoted as a shell would read it. */
  readonly command: string;
  /** See `ExecEnd.exitCode`: the exit status, −signal, or −1. */
  readonly exitCode: number;
  /**
   * What it printed, as UTF-8 text; bytes that are none become U+FFFD. For a terminal all of it is in `stdout`.
   * No line ending is changed. At most `maxOutputBytes` are kept, see `truncated`.
   */
  readonly stdout: string;
  readonly stderr: string;
  /** The same, byte for byte. Not enumerable, so that they are in no log and no JSON. */
  readonly stdoutBytes: Uint8Array;
  readonly stderrBytes: Uint8Array;
  /** Whether `timeoutMs` or `idleTimeoutMs` ended it. What it printed before is in `stdout` and `stderr`. */
  readonly timeoutOccurred: boolean;
  /** Why it ended. */
  readonly reason: EndReason;
  /** The signal that ended it, for example "SIGKILL". Undefined where it exited. */
  readonly signal: string | undefined;
  /** How long it ran, in milliseconds, by the server's clock. */
  readonly durationMs: number;
  /**
   * How many bytes of each stream are not in this result, since it printed more than `maxOutputBytes`: they are
   * missing between the first and the last bytes. Undefined: none.
   */
  readonly truncated: { readonly stdout: number; readonly stderr: number } | undefined;
  /** Its id, for `attach`. */
  readonly execId: string;
}

/** A command as the server knows it. Environment values and standard input are never told. */
export interface ExecInfo {
  readonly execId: string;
  /** What runs, as it was asked for: a shell line, or a list of arguments. */
  readonly command: string | readonly string[];
  /** The directory it was started in, absolute. */
  readonly workingDir: string;
  /** The user it was started as. Empty: the server's own. */
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: "running" | "ended";
  /** The process id in the workspace. 0 once the process is gone. */
  readonly pid: number;
  readonly startTime: Date | undefined;
  /** How it ended. Undefined while it runs. */
  readonly end: ExecEnd | undefined;
  /** The cursors of the oldest byte of output that can still be read, and past the newest one. */
  readonly beginCursor: number;
  readonly endCursor: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** How many bytes of standard input were taken, and whether it still takes any. */
  readonly stdinOffset: number;
  readonly stdinOpen: boolean;
  /** The terminal's size and type. Undefined: it has none. */
  readonly terminal: { readonly columns: number; readonly rows: number; readonly type: string } | undefined;
  /** How many streams read it now. */
  readonly readers: number;
  /** How many bytes were printed, and thrown away, by what it left in the background when it ended. */
  readonly backgroundBytes: number;
  /** When the output and this record go. Undefined while it runs. */
  readonly expireTime: Date | undefined;
}
