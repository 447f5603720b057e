import { randomUUID } from "node:crypto";
import { LimitExceeded, Unavailable } from "../util/errors.ts";
import type { Exec } from "./exec.ts";
import { expiredId, mustBeSameRequest, unknownId } from "./exec-id.ts";
import type { ExecRun } from "./exec-run.ts";
import { execIdentity, execMark, runExec } from "./exec-start.ts";
import {
  eventStream,
  type Disposition,
  type EventStreamOptions,
  type ExecEvent,
  type StreamStart,
} from "./event-stream.ts";
import type { LaunchedProcess, Launcher } from "./launcher.ts";
import { Leftovers, LEFTOVERS_GRACE_MS } from "./leftovers.ts";
import type { Limits } from "../util/limits.ts";
import { requestHash } from "./request-hash.ts";
import { Retention } from "./retention.ts";
import type { ExecSpec } from "./spec.ts";
import type { ExecLog } from "./state/exec-log.ts";
import type { StateDirectory } from "./state/state-directory.ts";

export interface ExecEngineOptions {
  readonly launcher: Launcher;
  readonly state: StateDirectory;
  readonly log: ExecLog;
  readonly limits: Limits;
  /** The workspace's directory, absolute. */
  readonly workingDirectory: Buffer;
  /** Called when a command ended, for the workspace's last activity. */
  readonly onActivity?: () => void;
}

/** What an earlier server left to read. */
export interface Recovered {
  readonly execs: readonly Exec[];
  readonly nextSequence: number;
}

/** An exec for a reader, and where its stream begins. */
export interface OpenedExec {
  readonly exec: Exec;
  readonly disposition: Disposition;
  readonly start: StreamStart;
}

export interface ListQuery {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: "running" | "ended" | undefined;
  /** Only execs with a smaller sequence. */
  readonly before: number | undefined;
  readonly pageSize: number;
}

/** All execs of a workspace: starts them, finds them by id, never runs an id twice, and bounds what they use. */
export class ExecEngine {
  readonly launcher: Launcher;
  readonly limits: Limits;
  readonly #options: ExecEngineOptions;
  readonly #execs = new Map<string, Exec>();
  /** Those of them whose end has not been told. */
  readonly #started = new Set<Exec>();
  readonly #starting = new Map<string, { readonly hash: string; readonly started: Promise<Exec> }>();
  readonly #leftovers = new Leftovers();
  readonly #retention: Retention;
  readonly #standingTimer: NodeJS.Timeout;
  #nextSequence: number;
  #readers = 0;
  #isStopping = false;
  #leavesRunning = false;

  constructor(options: ExecEngineOptions, recovered: Recovered) {
    const { limits } = options;
    this.#options = options;
    this.launcher = options.launcher;
    this.limits = limits;
    this.#nextSequence = recovered.nextSequence;
    this.#retention = new Retention({ limits, execs: this.#execs, expire: (exec) => this.#expire(exec) });
    for (const exec of recovered.execs) {
      this.#execs.set(exec.id, exec);
      this.#retention.ended(exec);
    }
    this.#standingTimer = setInterval(() => this.#dropStandingReaders(), limits.readerStallTimeoutMs / 4);
    this.#standingTimer.unref();
  }

  get runningCount(): number {
    return this.#starting.size + this.#started.size;
  }

  /** Starts a command, or joins the one that has this id already. An empty id stands for a new one. */
  async start(id: string, spec: ExecSpec): Promise<{ exec: Exec; disposition: Disposition }> {
    if (this.#isStopping) throw new Unavailable("SERVER_STOPPING", "The server is stopping and starts nothing new");
    const execId = id === "" ? randomUUID() : id;
    const hash = requestHash(spec, this.#options.state.hashKey);
    const starting = this.#starting.get(execId);
    if (starting !== undefined) {
      mustBeSameRequest(execId, starting.hash, hash);
      return { exec: await starting.started, disposition: "JOINED" };
    }
    const existing = this.#execs.get(execId);
    if (existing !== undefined) {
      mustBeSameRequest(execId, existing.identity.requestHash, hash);
      return { exec: existing, disposition: "JOINED" };
    }
    if (this.#options.log.isExpired(execId)) throw expiredId(execId);
    this.#mustHaveRoom();
    const started = this.#launch(execId, hash, spec);
    this.#starting.set(execId, { hash, started });
    try {
      return { exec: await started, disposition: "CREATED" };
    } finally {
      this.#starting.delete(execId);
    }
  }

  get(id: string): Exec {
    const exec = this.#execs.get(id);
    if (exec !== undefined) return exec;
    if (this.#options.log.isExpired(id)) throw expiredId(id);
    throw unknownId(id);
  }

  /** Newest first. */
  list(query: ListQuery): { execs: Exec[]; hasMore: boolean } {
    const wanted = Object.entries(query.labels);
    const matching = [...this.#execs.values()]
      .filter(({ identity, ended }) => {
        if (query.before !== undefined && identity.sequence >= query.before) return false;
        if (query.state !== undefined && (ended === undefined) !== (query.state === "running")) return false;
        return wanted.every(([name, value]) => identity.summary.labels[name] === value);
      })
      .toSorted((a, b) => b.identity.sequence - a.identity.sequence);
    return { execs: matching.slice(0, query.pageSize), hasMore: matching.length > query.pageSize };
  }

  /**
   * One reader's stream of what `open` answers. Only who has a place as reader opens anything: a call that is refused for
   * want of one must not have started a command.
   */
  async *read(
    open: () => Promise<OpenedExec>,
    options: Pick<EventStreamOptions, "readerId" | "signal">,
  ): AsyncGenerator<{ exec: Exec; event: ExecEvent }, void> {
    this.#mustHaveRoomForReader();
    this.#readers += 1;
    try {
      const { exec, disposition, start } = await open();
      const events = eventStream(exec, { ...options, disposition, start, limits: this.limits });
      for await (const event of events) yield { exec, event };
    } finally {
      this.#readers -= 1;
    }
  }

  /** Takes no new work, then ends what runs, or leaves it to itself; every reader is told the end. */
  async stop(options: { leaveRunning: boolean }): Promise<void> {
    this.#isStopping = true;
    await this.#allStarted();
    if (options.leaveRunning) {
      this.#leavesRunning = true;
      await Promise.all(this.#running().map((run) => run.leave()));
      return;
    }
    await Promise.all(this.#running().map((run) => run.end("SERVER_STOPPED").then(() => run.finished)));
    await this.#leftovers.end(this.launcher, LEFTOVERS_GRACE_MS);
  }

  /**
   * After `stop` and the last stream: kills what `stop` was not given the time to end, and lets go of files, timers and
   * pipes; the launcher is its owner's.
   */
  async close(): Promise<void> {
    if (!this.#leavesRunning) {
      await this.#allStarted();
      await Promise.all(this.#running().map((run) => run.kill().then(() => run.finished)));
      await this.#leftovers.end(this.launcher, 0);
    }
    clearInterval(this.#standingTimer);
    this.#retention.close();
    for (const exec of this.#execs.values()) {
      exec.run?.letGo();
      await exec.forget({ removeOutput: false });
    }
    this.#options.log.close();
  }

  /** Resolves when what was about to start has started, or could not. */
  async #allStarted(): Promise<void> {
    await Promise.allSettled([...this.#starting.values()].map(({ started }) => started));
  }

  #running(): ExecRun[] {
    return [...this.#started].flatMap(({ run, ended }) => (run !== undefined && ended === undefined ? [run] : []));
  }

  async #launch(id: string, hash: string, spec: ExecSpec): Promise<Exec> {
    const { log, launcher } = this.#options;
    const startMonotonicMs = performance.now();
    const identity = execIdentity({ ...this.#options, id, sequence: this.#nextSequence++, requestHash: hash, spec });
    log.started(identity);
    let process: LaunchedProcess;
    try {
      const mark = execMark(this.#options.state.workspaceId, identity.sequence);
      process = await launcher.launch({ ...spec, stdin: spec.stdin !== undefined, mark });
    } catch (error) {
      log.withdrawn(id);
      throw error;
    }
    log.launched(id, process.leftoverMark);
    this.#leftovers.remember(process.leftoverMark);
    const exec = runExec({
      ...this.#options,
      identity,
      spec,
      process,
      startMonotonicMs,
      onOutput: (bytes) => this.#retention.grew(bytes),
      onEnd: (record) => log.ended(id, record),
    });
    this.#execs.set(id, exec);
    this.#started.add(exec);
    // While the command runs; that it was started is told first.
    setImmediate(() => launcher.prepare(execMark(this.#options.state.workspaceId, this.#nextSequence)));
    void exec.run?.finished.then(() => {
      this.#started.delete(exec);
      this.#retention.ended(exec);
      this.#options.onActivity?.();
    });
    return exec;
  }

  #mustHaveRoom(): void {
    const { maxRunningExecs } = this.limits;
    if (this.runningCount < maxRunningExecs) return;
    throw new LimitExceeded("LIMIT_EXCEEDED", `${maxRunningExecs} execs run already, as many as this server allows`, {
      limit: { name: "max_running_execs", value: maxRunningExecs },
      remedy: "Wait for one to end, or end one.",
      retryDelayMs: 1_000,
    });
  }

  #mustHaveRoomForReader(): void {
    const { maxReaders } = this.limits;
    if (this.#readers < maxReaders) return;
    throw new LimitExceeded("LIMIT_EXCEEDED", `The server serves ${maxReaders} readers at once and no more`, {
      limit: { name: "max_readers", value: maxReaders },
      remedy: "Wait for one to end; ReadOutput takes none of these places.",
      retryDelayMs: 1_000,
    });
  }

  #expire(exec: Exec): void {
    this.#execs.delete(exec.id);
    this.#options.log.expired(exec.id);
    // What cannot be removed now, the next server finds without its exec.
    exec.forget({ removeOutput: true }).catch(() => undefined);
  }

  #dropStandingReaders(): void {
    for (const exec of this.#execs.values()) {
      if (exec.readers.size > 0) void exec.journal().then(({ endCursor }) => exec.readers.dropStanding(endCursor));
    }
  }
}
