import { Code, ConnectError } from "@connectrpc/connect";
import { AbortError, ConnectionLost, YonderError } from "../errors.ts";
import { Backoff } from "./backoff.ts";
import { toYonderError } from "./error-map.ts";
import { LinkedAbort } from "./linked-abort.ts";
import { failuresOf, lossOf } from "./loss.ts";
import type { Loss } from "./loss.ts";
import { plainWords, trustRemedy } from "./trust.ts";

/** How long a lost connection is tried to be had again. */
export interface RetryOptions {
  /**
   * How long to try, in milliseconds, from the moment the connection was lost. Past it the call fails with
   * ConnectionLost. 0: not at all; at most 86,400,000. Default 120,000.
   */
  maxElapsedMs?: number | undefined;
  /** The delay before the first try, in milliseconds, at least 1; each next one is twice as long. Default 50. */
  initialDelayMs?: number | undefined;
  /** The longest delay, in milliseconds, 1 to 86,400,000. Default 5,000. */
  maxDelayMs?: number | undefined;
}

export type RetryPolicy = { readonly [Name in keyof RetryOptions]-?: number };

export const defaultRetry: RetryPolicy = { maxElapsedMs: 120_000, initialDelayMs: 50, maxDelayMs: 5_000 };

/** Why a server cannot be reached, as somebody knows who started it. */
export interface Diagnosis {
  readonly error: YonderError;
  /** Whether waiting may help: what was going on goes on then. */
  readonly mayPass: boolean;
}

/** What a call is about, told with ConnectionLost. */
export interface RetrySubject {
  execId?: string | undefined;
  cursor?: number | undefined;
  /** Whether the server may have done what the call asks for. Set by `Retry` as soon as a try may have arrived. */
  mayHaveRun: boolean;
}

export interface RetryContext {
  readonly host: string;
  readonly policy: RetryPolicy;
  readonly subject: RetrySubject;
  /** Aborted by the user. */
  readonly signal: AbortSignal | undefined;
  /** Aborted by the end of the workspace, with the error to throw then. */
  readonly closed: AbortSignal;
  readonly serverVersion: string;
  /** Whether a server that nobody answers for is waited for. */
  readonly waitForServer: boolean;
  /** Told that a try failed for want of a connection and there will be another; and that the connection works. */
  readonly onLost: (error: unknown) => void;
  readonly onWorking: () => void;
  /** Asked after each loss. */
  readonly diagnose?: (() => Promise<Diagnosis | undefined>) | undefined;
  /** Told that a key was refused: whether another may be had. */
  readonly renewKey: (key: string | undefined) => boolean;
}

/** Answers that make no sense are not waited out: so many in a row are the answer. */
const maxDoubts = 5;

/** Decides after each failed try of one call whether there is another, and waits for its time. */
export class Retry {
  /** The key that the try at hand bears. */
  key: string | undefined;
  readonly #context: RetryContext;
  readonly #backoff: Backoff;
  #lostAt: number | undefined;
  /** Whether there was a connection, before it could not be had again. */
  #wasThere = false;
  #hasWorked = false;
  #doubts = 0;
  #keyRenewed = false;

  constructor(context: RetryContext) {
    this.#context = context;
    this.#backoff = new Backoff(context.policy);
  }

  /** The connection works: the next loss is counted anew. */
  progress(): void {
    this.#hasWorked = true;
    this.#lostAt = undefined;
    this.#doubts = 0;
    this.#keyRenewed = false;
    this.#backoff.reset();
    this.#context.onWorking();
  }

  /** Returns when it is time for the next try, or throws what the call ends with. */
  async after(error: unknown): Promise<void> {
    const { subject, policy, serverVersion } = this.#context;
    this.#throwIfAborted();
    if (YonderError.is(error)) throw error;
    if (
      ConnectError.from(error).code === Code.Unauthenticated &&
      !this.#keyRenewed &&
      this.#context.renewKey(this.key)
    ) {
      this.#keyRenewed = true;
      return;
    }
    const loss = lossOf(error);
    if (loss === undefined) throw toYonderError(error, serverVersion);
    if (loss === "broken" || loss === "doubtful") subject.mayHaveRun = true;
    if (loss === "doubtful" && ++this.#doubts > maxDoubts) throw toYonderError(error, serverVersion);
    if (this.#lostAt === undefined) {
      this.#lostAt = performance.now();
      this.#wasThere = loss !== "unreachable";
    }
    const elapsed = performance.now() - this.#lostAt;
    const diagnosis = await this.#context.diagnose?.();
    this.#throwIfAborted();
    if (diagnosis && !(diagnosis.mayPass && this.#hasWorked && elapsed < policy.maxElapsedMs)) throw diagnosis.error;
    const hopeless = loss === "untrusted" || (loss === "unreachable" && !this.#context.waitForServer);
    if (hopeless || elapsed >= policy.maxElapsedMs) throw this.#giveUp(loss, error, elapsed);
    this.#context.onLost(error);
    const abort = new LinkedAbort(this.#context.signal, this.#context.closed);
    await this.#backoff.wait(abort.signal);
    abort.release();
    this.#throwIfAborted();
  }

  #throwIfAborted(): void {
    this.#context.closed.throwIfAborted();
    throwIfAborted(this.#context.signal);
  }

  #giveUp(loss: Loss, error: unknown, elapsedMs: number): YonderError {
    if (loss === "stopping" && !this.#context.subject.mayHaveRun) return toYonderError(error);
    const { host, subject } = this.#context;
    const { rawMessage } = ConnectError.from(error);
    const tried = elapsedMs > 0 ? ` and did not come back within ${Math.round(elapsedMs)} ms` : "";
    const [reason, what] =
      loss === "untrusted"
        ? (["CERTIFICATE_REJECTED", `no trusted connection to ${host}`] as const)
        : loss === "unreachable" && !this.#wasThere
          ? (["CONNECTION_REFUSED", `no connection to ${host}`] as const)
          : (["CONNECTION_LOST", `the connection to ${host} was lost${tried}`] as const);
    const remedy = loss === "untrusted" ? trustRemedy(failuresOf(error).map(({ code }) => code)) : "";
    return new ConnectionLost(`${what}: ${plainWords(rawMessage)}${remedy && `; ${remedy}`}`, {
      reason,
      subject: subject.execId ?? host,
      retryable: loss !== "untrusted",
      cause: error,
      execId: subject.execId,
      cursor: subject.cursor,
      mayHaveRun: subject.mayHaveRun,
    });
  }
}

/** Throws an AbortError if the user's signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new AbortError("The operation was aborted", { cause: signal.reason });
}
