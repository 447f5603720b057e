import { randomUUID } from "node:crypto";
import { Aborted, AlreadyExists, LimitExceeded, NotFound } from "./errors.ts";
import type { Unavailable } from "./errors.ts";
import { Notifier } from "./notifier.ts";

/** What happens to an operation, as one of its readers sees it. */
export type OperationEvent<Progress, Result> =
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "heartbeat" }
  | { readonly type: "result"; readonly result: Result };

export interface OperationRun<Progress> {
  /** Aborts when the operation is cancelled or the server stops; its reason is the error to end with. */
  readonly signal: AbortSignal;
  /** Of several reports under one key a slow reader gets the last one. */
  readonly report: (key: string, progress: Progress) => void;
}

export interface StartedOperation<Progress, Result> {
  readonly id: string;
  readonly isNew: boolean;
  /** Ends with the result, or throws what the operation ended with. A reader that stops reading changes nothing. */
  events(signal: AbortSignal, heartbeatMs: number): AsyncGenerator<OperationEvent<Progress, Result>>;
}

export interface OperationsOptions {
  readonly retentionMs: number;
  readonly maxEnded: number;
  readonly maxRunning: number;
  /** The name of `maxRunning` in the contract's Limits. */
  readonly limitName: string;
}

/**
 * Long calls that belong to the workspace and not to who made them: one that is cut off leaves its operation running,
 * the same id joins it, and its outcome, failure or not, is there for a while after its end.
 */
export class Operations {
  readonly #options: OperationsOptions;
  readonly #all = new Map<string, Operation<unknown, unknown>>();
  #closed: Unavailable | undefined;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /**
   * @param id chosen by the caller; one is made where it is empty
   * @param fingerprint equal for equal requests; another one under the same id is an error
   */
  start<Progress, Result>(
    id: string,
    fingerprint: string,
    act: (run: OperationRun<Progress>) => Promise<Result>,
  ): StartedOperation<Progress, Result> {
    this.#forgetOld();
    const known = this.#all.get(id);
    if (known !== undefined) {
      if (known.fingerprint !== fingerprint) throw idConflict(id);
      return started(id, known as Operation<Progress, Result>, false);
    }
    if (this.#closed !== undefined) throw this.#closed;
    if (this.running >= this.#options.maxRunning) throw this.#tooMany();
    const newId = id === "" ? randomUUID() : id;
    const operation = new Operation<Progress, Result>(fingerprint, act);
    this.#all.set(newId, operation);
    return started(newId, operation, true);
  }

  /** Ends an operation and waits until it has; answers whether it was running. */
  async cancel(id: string): Promise<boolean> {
    const operation = this.#all.get(id);
    if (operation === undefined) {
      throw new NotFound("OPERATION_NOT_FOUND", `No operation has the request id "${id}"`, { subject: id });
    }
    return await operation.end(new Aborted("OPERATION_CANCELLED", "The operation was cancelled", { subject: id }));
  }

  /** How many are under way. */
  get running(): number {
    return [...this.#all.values()].filter(({ endedAt }) => endedAt === undefined).length;
  }

  /** Ends all with `reason`, and takes no more. */
  async close(reason: Unavailable): Promise<void> {
    this.#closed = reason;
    await Promise.all([...this.#all.values()].map((operation) => operation.end(reason)));
  }

  #forgetOld(): void {
    const ended = [...this.#all].filter(([, { endedAt }]) => endedAt !== undefined);
    const oldest = performance.now() - this.#options.retentionMs;
    for (const [index, [id, { endedAt = 0 }]] of ended.entries()) {
      if (endedAt < oldest || ended.length - index > this.#options.maxEnded) this.#all.delete(id);
    }
  }

  #tooMany(): LimitExceeded {
    const { limitName, maxRunning } = this.#options;
    return new LimitExceeded("LIMIT_EXCEEDED", `${maxRunning} operations are running, and no more may`, {
      subject: limitName,
      limit: { name: limitName, value: maxRunning },
    });
  }
}

class Operation<Progress, Result> {
  readonly fingerprint: string;
  readonly #abort = new AbortController();
  readonly #changed = new Notifier();
  readonly #reports = new Map<string, { readonly version: number; readonly progress: Progress }>();
  readonly #outcome: Promise<Result>;
  #version = 0;
  endedAt: number | undefined;

  constructor(fingerprint: string, act: (run: OperationRun<Progress>) => Promise<Result>) {
    this.fingerprint = fingerprint;
    const { signal } = this.#abort;
    this.#outcome = act({ signal, report: (key, progress) => this.#report(key, progress) }).finally(() => {
      this.endedAt = performance.now();
      this.#changed.notify();
    });
    // Whoever reads it meets the failure; nobody may be reading.
    this.#outcome.catch(() => {});
  }

  async end(reason: Error): Promise<boolean> {
    if (this.endedAt !== undefined) return false;
    this.#abort.abort(reason);
    return await this.#outcome.then(
      () => false,
      (error: unknown) => error === reason,
    );
  }

  async *events(signal: AbortSignal, heartbeatMs: number): AsyncGenerator<OperationEvent<Progress, Result>> {
    let seen = 0;
    for (;;) {
      const isOver = this.endedAt !== undefined;
      const news = [...this.#reports.values()].filter(({ version }) => version > seen);
      seen = this.#version;
      for (const { progress } of news.toSorted((one, other) => one.version - other.version)) {
        yield { type: "progress", progress };
      }
      if (isOver) return yield { type: "result", result: await this.#outcome };
      if (this.endedAt !== undefined || this.#version > seen) continue;
      const isNews = await this.#changed.next(heartbeatMs, signal);
      if (signal.aborted) return;
      if (!isNews) yield { type: "heartbeat" };
    }
  }

  #report(key: string, progress: Progress): void {
    this.#reports.set(key, { version: ++this.#version, progress });
    this.#changed.notify();
  }
}

function started<Progress, Result>(
  id: string,
  operation: Operation<Progress, Result>,
  isNew: boolean,
): StartedOperation<Progress, Result> {
  return { id, isNew, events: (signal, heartbeatMs) => operation.events(signal, heartbeatMs) };
}

function idConflict(id: string): AlreadyExists {
  return new AlreadyExists("REQUEST_ID_CONFLICT", `Request id "${id}" belongs to a different request`, {
    subject: id,
    remedy: "Use a new request id for a new request.",
  });
}
