import type { EnvironmentChange, OutputStream, Program, ResourceLimits, TerminalSize } from "./spec.ts";

/**
 * Starts processes. The engine knows only this interface, so that a holder which outlives the server can stand in for
 * the local one.
 */
export interface Launcher {
  /** What can be had on this machine. */
  readonly features: ReadonlySet<LauncherFeature>;
  /** What could not be had, and what to do about it: a sentence each. */
  readonly notices: readonly string[];
  /**
   * Starts a process, or throws a DomainError (DIRECTORY_NOT_FOUND, NOT_A_DIRECTORY, PROGRAM_NOT_FOUND,
   * PROGRAM_NOT_EXECUTABLE, ACCESS_DENIED, USER_NOT_FOUND, USER_UNSUPPORTED, TERMINAL_UNSUPPORTED, LIMIT_UNSUPPORTED,
   * ARGUMENTS_TOO_LARGE, MACHINE_EXHAUSTED) before anything runs.
   */
  launch(request: LaunchRequest): Promise<LaunchedProcess>;
  /** Told the mark of the launch that is likely to come next, makes ahead what takes time. Never throws. */
  prepare(mark: string): void;
  /**
   * Ends what was left running under these marks, by an earlier server or by commands that ended, and returns how many
   * processes that were. They have `graceMs` between TERM and KILL.
   */
  endLeftovers(marks: readonly LeftoverMark[], graceMs: number): Promise<number>;
  /** Looks at the machine: what commands will meet. Never rejects. */
  diagnose(): Promise<LauncherDiagnosis>;
  close(): Promise<void>;
}

export type LauncherFeature =
  | "TERMINAL"
  | "USER_SWITCH"
  | "CONTROL_GROUP"
  | "MEMORY_LIMIT"
  | "PROCESS_LIMIT"
  | "CPU_TIME_LIMIT"
  | "OPEN_FILES_LIMIT";

export interface LauncherDiagnosis {
  /** Why no terminal can be opened; empty where one can. */
  readonly terminalProblem: string;
  /** What becomes of processes whose parent is gone; undefined where that cannot be told. */
  readonly orphans: { readonly parentPid: number; readonly parentName: string; readonly reaped: boolean } | undefined;
}

export interface LaunchRequest {
  readonly program: Program;
  readonly workingDirectory: Buffer | undefined;
  readonly environment: EnvironmentChange;
  readonly user: string | undefined;
  readonly terminal: TerminalSize | undefined;
  /** Whether the process gets a pipe as standard input; it is empty otherwise. A terminal always takes input. */
  readonly stdin: boolean;
  readonly limits: ResourceLimits;
  /** Put into the process's environment as YONDER_EXEC_MARK, to find by it what left the tree. */
  readonly mark: string;
}

/** What is written down of a process, so that the next server can find what is left of it. */
export interface LeftoverMark {
  readonly mark: string;
  readonly pid: number;
  /** The start time of the kernel, in clock ticks since boot, so that a recycled pid is left alone. */
  readonly startTicks: number | undefined;
  /** The boot that the start time counts from. */
  readonly bootId: string | undefined;
}

export interface LaunchedProcess {
  readonly pid: number;
  readonly leftoverMark: LeftoverMark;
  /** What it prints, one source a stream: a terminal has only stdout. */
  readonly outputs: readonly OutputSource[];
  /** Undefined where standard input is empty. */
  readonly input: ProcessInput | undefined;
  /** Settles when the command's own process is gone, whoever still holds its pipes. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Whether the kernel ended a process of the tree for want of memory; false where nothing tells. */
  outOfMemory(): boolean;
  /** Sends a signal to what is there now; returns how many processes got it. Also after the exit. */
  signal(signal: number, target: "tree" | "group" | "process"): Promise<number>;
  /**
   * Ends the whole tree: stop, TERM, continue, grace, stop, KILL, until two scans find nothing. Idempotent; a second
   * call with a shorter grace shortens it. Resolves when nothing is left that can be found.
   */
  endTree(graceMs: number): Promise<void>;
  /** Terminals only. */
  resize(columns: number, rows: number): void;
  /** Lets go of what the launcher holds for it (control group), as soon as nothing runs in it any more. */
  release(): void;
}

/** The most that one read of a pipe or terminal brings. */
export const MOST_READ_BYTES = 64 * 1024;

export interface OutputSource {
  readonly stream: OutputStream;
  /**
   * Begins to deliver bytes. `onEnd` comes once, when every holder of the pipe has closed it or it broke. The chunk
   * is good for the duration of the call, and has `MOST_READ_BYTES` at most.
   */
  start(onData: (chunk: Buffer) => void, onEnd: () => void): void;
  /** Stops and goes on reading; a terminal is never paused, there both do nothing. */
  pause(): void;
  resume(): void;
  /** Closes our end. */
  destroy(): void;
}

export interface ProcessInput {
  /** Writes; resolves once the bytes are on their way to the process and there is room for more; rejects with EPIPE when it closed its end. */
  write(data: Uint8Array): Promise<void>;
  end(): void;
  destroy(): void;
}

export interface ProcessExit {
  readonly exitCode: number | undefined;
  /** For example "SIGKILL". */
  readonly signal: string | undefined;
}
