import { drain } from "./drain.ts";
import type { Exec } from "./exec.ts";
import type { Journal } from "./journal/journal.ts";
import type { LaunchedProcess, ProcessExit } from "./launcher.ts";
import type { Limits } from "../util/limits.ts";
import { OutputPump } from "./output-pump.ts";
import { RunningTimer } from "../util/running-timer.ts";
import { signalName } from "./process/signals.ts";
import type { ExecSpec } from "./spec.ts";
import type { EndReason, EndRecord } from "./state/records.ts";
import { StdinFeed } from "./stdin-feed.ts";

/** Why the server ends an exec. */
export type EndCause = Extract<
  EndReason,
  "TIMED_OUT" | "IDLE_TIMED_OUT" | "DISCONNECTED" | "OUTPUT_LIMIT" | "SERVER_STOPPED"
>;

const SIGKILL = 9;
/** What a stopping server leaves a command at most between TERM and KILL. */
const STOP_GRACE_MS = 2_000;

export interface ExecRunOptions {
  readonly exec: Exec;
  readonly spec: ExecSpec;
  readonly process: LaunchedProcess;
  readonly journal: Journal;
  readonly limits: Limits;
  readonly startMonotonicMs: number;
  readonly onOutput: (bytes: number) => void;
  /** Writes the end down, before anybody is told. */
  readonly onEnd: (record: EndRecord) => void;
}

/** The life of an exec's process, from its start to the last of what it left behind. */
export class ExecRun {
  readonly stdin: StdinFeed | undefined;
  readonly #options: ExecRunOptions;
  readonly #pump: OutputPump;
  readonly #timeoutTimer: RunningTimer | undefined;
  readonly #idleTimer: RunningTimer | undefined;
  readonly #signalsSent = new Set<string>();
  #disconnectTimer: RunningTimer | undefined;
  #cause: EndCause | undefined;
  #hasExited = false;
  #ending: Promise<void> | undefined;
  readonly #finished: Promise<void>;

  constructor(options: ExecRunOptions) {
    const { exec, spec, process, journal, limits } = options;
    this.#options = options;
    if (process.input !== undefined) {
      this.stdin = new StdinFeed({
        execId: exec.id,
        input: process.input,
        isTerminal: spec.terminal !== undefined,
        bufferBytes: limits.stdinBufferBytes,
      });
      this.stdin.begin(spec.stdin?.data ?? new Uint8Array(), spec.stdin?.eof ?? false);
    }
    this.#pump = new OutputPump({
      sources: process.outputs,
      journal,
      readers: exec.readers,
      mayHold: spec.terminal === undefined,
      maxBytes: spec.output.maxBytes,
      onOutput: (bytes) => {
        this.#idleTimer?.restart();
        options.onOutput(bytes);
      },
      onOverLimit: () => void this.end("OUTPUT_LIMIT"),
      onHold: (isHeld) => (isHeld ? this.#idleTimer?.hold() : this.#idleTimer?.restart()),
    });
    if (spec.timeoutMs !== undefined) this.#timeoutTimer = this.#arm(spec.timeoutMs, "TIMED_OUT");
    if (spec.idleTimeoutMs !== undefined) this.#idleTimer = this.#arm(spec.idleTimeoutMs, "IDLE_TIMED_OUT");
    this.readersChanged();
    this.#finished = this.#finish();
  }

  get pid(): number {
    return this.#options.process.pid;
  }

  get backgroundBytes(): number {
    return this.#pump.discardedBytes;
  }

  /** Resolves once the end is written down and told. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  /** Ends the command with all that it started; the first cause is the one that is told. */
  end(cause: EndCause): Promise<void> {
    // Once it has exited, only what it printed can still be the reason.
    if (!this.#hasExited || cause === "OUTPUT_LIMIT") this.#cause ??= cause;
    const { process, spec } = this.#options;
    const graceMs = cause === "SERVER_STOPPED" ? Math.min(spec.killGraceMs, STOP_GRACE_MS) : spec.killGraceMs;
    // A stopping server does not wait out a longer grace that an earlier cause gave.
    if (this.#ending === undefined || cause === "SERVER_STOPPED") this.#ending = process.endTree(graceMs);
    return this.#ending;
  }

  /** Kills the command with all that it started, without the grace that ending it may still have. */
  kill(): Promise<void> {
    return this.#options.process.endTree(0);
  }

  async signal(signal: number, target: "tree" | "group" | "process"): Promise<number> {
    this.#signalsSent.add(signalName(signal));
    const { process } = this.#options;
    const count = await process.signal(signal, target);
    // What forks while it is being killed is caught by ending the tree.
    if (signal === SIGKILL && target === "tree") await process.endTree(0);
    return count;
  }

  resize(columns: number, rows: number): void {
    this.#options.process.resize(columns, rows);
  }

  /** A stream came or went: who wants to end with its client ends now, or a while later. */
  readersChanged(): void {
    const { exec, spec } = this.#options;
    if (spec.disconnectGraceMs === undefined) return;
    this.#disconnectTimer?.hold();
    if (exec.readers.size > 0 || exec.ended !== undefined) return;
    this.#disconnectTimer = this.#arm(spec.disconnectGraceMs, "DISCONNECTED");
  }

  #arm(durationMs: number, cause: EndCause): RunningTimer {
    return new RunningTimer(durationMs, () => void this.end(cause));
  }

  /** The server goes and leaves the command to itself: its end is told now, and what it prints from now on is lost. */
  async leave(): Promise<void> {
    await this.#stopListening();
    this.#tellEnd({
      ...this.#endRecord("SERVER_STOPPED"),
      message: "The server stopped and left the command running.",
    });
  }

  /** Closes the pipes; whoever still writes to them gets SIGPIPE. */
  letGo(): void {
    this.#pump.destroy();
    this.stdin?.close();
    this.#options.process.release();
  }

  async #finish(): Promise<void> {
    const { process } = this.#options;
    const exit = await process.exited;
    this.#hasExited = true;
    if (this.#ending !== undefined) await this.#ending;
    await drain(this.#pump);
    await this.#stopListening();
    this.#tellEnd({
      ...this.#endRecord(this.#cause ?? this.#ownReason(exit)),
      ...(exit.exitCode === undefined ? {} : { exitCode: exit.exitCode }),
      ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    });
    this.stdin?.close();
    // The end is told first.
    void this.#pump.closed.then(() => setImmediate(() => process.release()));
  }

  async #stopListening(): Promise<void> {
    this.#pump.discardRest();
    await this.#pump.flushed();
    for (const timer of [this.#timeoutTimer, this.#idleTimer, this.#disconnectTimer]) timer?.hold();
  }

  #tellEnd(record: EndRecord): void {
    const { exec, onEnd } = this.#options;
    if (exec.ended !== undefined) return;
    onEnd(record);
    exec.end(record);
  }

  #endRecord(reason: EndReason): EndRecord {
    const { exec, journal, startMonotonicMs } = this.#options;
    return {
      reason,
      startTimeMs: exec.identity.startTimeMs,
      endTimeMs: Date.now(),
      durationMs: performance.now() - startMonotonicMs,
      stdoutBytes: journal.stdoutBytes,
      stderrBytes: journal.stderrBytes,
    };
  }

  #ownReason(exit: ProcessExit): EndReason {
    if (exit.exitCode !== 0 && this.#options.process.outOfMemory()) return "OUT_OF_MEMORY";
    if (exit.signal === undefined) return "EXITED";
    return this.#signalsSent.has(exit.signal) ? "KILLED" : "SIGNALED";
  }
}
