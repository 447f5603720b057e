import type { Program, TerminalSize } from "../spec.ts";

/** What is told of an exec by GetExec, and so what is written down of it: never an environment value, never stdin. */
export interface ExecSummary {
  readonly program: Program;
  /** Absolute, byte for byte. */
  readonly workingDirectory: Buffer;
  readonly user: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly terminal: TerminalSize | undefined;
}

/** Written before the process is started. */
export interface StartRecord {
  readonly id: string;
  /** Counts the execs of a state directory; names the journal's files. */
  readonly sequence: number;
  readonly requestHash: string;
  readonly startTimeMs: number;
  readonly summary: ExecSummary;
}

/** Written before the end is told to anybody. */
export interface EndRecord {
  readonly reason: EndReason;
  readonly exitCode?: number;
  /** For example "SIGKILL". */
  readonly signal?: string;
  readonly startTimeMs: number;
  readonly endTimeMs: number;
  /** By a clock that nobody sets. */
  readonly durationMs: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly message?: string;
}

/** The contract's EndReason, whose comments say what each means. */
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
  | "SERVER_LOST";
