/** A shell line, run by bash (sh where there is none); or a program and its arguments, run as they are. */
export type Command = string | readonly string[];

/** What every way of running a command takes. */
export interface CommandOptions {
  /** The directory to run in: absolute, or relative to the workspace's `workingDir`. Default: that directory. */
  cwd?: string | undefined;
  /** Variables to set over the server's environment; undefined unsets one. Names match `[A-Za-z_][A-Za-z0-9_]*`. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Start from an empty environment instead of the server's. Default false. */
  cleanEnv?: boolean | undefined;
  /** The user to run as, "name", "uid" or "uid:gid", where the server may switch. Default: the server's own. */
  user?: string | undefined;
  /**
   * How long it may run, in milliseconds, before it is ended with all that it started. 0 or Infinity: without end.
   * Default: 30,000 for `executeCommand`, without end for `spawn`.
   */
  timeoutMs?: number | undefined;
  /** How long it may print nothing, in milliseconds, before it is ended. Default, 0 or Infinity: without end. */
  idleTimeoutMs?: number | undefined;
  /** How long it has between SIGTERM and SIGKILL when it is ended, in milliseconds, 0 to 60,000. Default 2,000. */
  killGraceMs?: number | undefined;
  /**
   * How long it outlives its last reader, in milliseconds, before it is ended. 0: not at all. Default or Infinity: for
   * ever, so that a cut connection ends nothing.
   */
  disconnectGraceMs?: number | undefined;
  /**
   * Its id: 1 to 128 of `A-Za-z0-9._:-`, for example an agent's tool-call id. The same id with the same request joins
   * the command that has it, running or ended; it never runs twice. Default: a random one.
   */
  execId?: string | undefined;
  /** Names and values to find it by with `execs`. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** What it may use. A limit that the server's machine cannot enforce is refused with Unsupported. */
  limits?: CommandLimits | undefined;
  /** How many bytes it may print before it is ended with OUTPUT_LIMIT. Default or 0: no limit. */
  outputLimitBytes?: number | undefined;
  /** How many of its newest bytes the server keeps for replay. Default or 0: as many as the server allows. */
  keepOutputBytes?: number | undefined;
  /** Run it in a terminal, which prints everything to stdout. Default: none. */
  terminal?: TerminalOptions | undefined;
  /**
   * Ends the command when aborted: SIGTERM to all that it started, `killGraceMs` later SIGKILL. `executeCommand` then
   * rejects with an AbortError that carries the partial result; after `spawn` the handle's `wait` tells.
   */
  signal?: AbortSignal | undefined;
}

/** Bounds of what one command may use. 0 or absent: none. */
export interface CommandLimits {
  /** Memory of all that it started, in bytes, at least 1 MiB. */
  memoryBytes?: number | undefined;
  /** Processes and threads at once. */
  processes?: number | undefined;
  /** CPU time of each of its processes, in milliseconds, rounded up to seconds. */
  cpuTimeMs?: number | undefined;
  /** Open files of each of its processes. */
  openFiles?: number | undefined;
}

/** A terminal's size and type. */
export interface TerminalOptions {
  /** 1 to 10,000. Default 80. */
  columns?: number | undefined;
  /** 1 to 10,000. Default 24. */
  rows?: number | undefined;
  /** The TERM variable. Default "xterm-256color". */
  type?: string | undefined;
}

export interface ExecuteCommandOptions extends CommandOptions {
  /** Its standard input, then its end. Default: empty. */
  stdin?: string | Uint8Array | AsyncIterable<string | Uint8Array> | undefined;
  /** Reject with CommandFailed unless it exits with 0. Default false. */
  check?: boolean | undefined;
  /**
   * Called with what it prints, as it is printed. A promise that is returned is waited for before more is read, so
   * that a slow receiver is never run over. If it throws, the command is ended as by `signal` and the call rejects
   * with that error.
   */
  onStdout?: ((text: string) => unknown) | undefined;
  onStderr?: ((text: string) => unknown) | undefined;
  /**
   * How many bytes of each stream the result keeps: the first half and the last half of it; `truncated` says what was
   * left out. Default 32 MiB. The callbacks get everything.
   */
  maxOutputBytes?: number | undefined;
}

export interface SpawnOptions extends CommandOptions {
  /** Its standard input: true is open, for the handle's `stdin`; false is empty; data is that, then its end. Default true. */
  stdin?: boolean | string | Uint8Array | undefined;
}

/** What options are where a call gives none. */
export interface CommandDefaults {
  /** For `executeCommand`. Default 30,000; 0 or Infinity: without end. */
  timeoutMs?: number | undefined;
  idleTimeoutMs?: number | undefined;
  killGraceMs?: number | undefined;
  /** Under what a call's own `env` says. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** For files and git, too. */
  user?: string | undefined;
  /** Beside a call's own `labels`. */
  labels?: Readonly<Record<string, string>> | undefined;
  maxOutputBytes?: number | undefined;
}
