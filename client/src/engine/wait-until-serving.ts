import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../connection/address.ts";
import type { Connection } from "../connection/connection.ts";
import { openConnection } from "../connection/open-connection.ts";
import type { OpenConnectionOptions } from "../connection/open-connection.ts";
import { AbortError, ConnectionLost, StartFailed } from "../errors.ts";

export interface WaitUntilServingOptions {
  readonly connect: OpenConnectionOptions;
  /** What is started, as in "container yonder-1". */
  readonly subject: string;
  readonly timeoutMs: number;
  /** Why it will never serve, once that is known: it has died. Asked between two tries. */
  readonly whyDead: () => Promise<Error | undefined>;
  /** The last lines that it has printed. */
  readonly lastLines: () => Promise<readonly string[]>;
  readonly signal?: AbortSignal | undefined;
}

const shortestDelayMs = 20;
const longestDelayMs = 200;
/** Of one try, which ends sooner where nothing listens. */
const tryMs = 2_000;

/**
 * Connects to a server that is on its way up. Rejects with what `whyDead` says, with START_TIMED_OUT, or with what
 * waiting does not mend: a key that is not taken, options that make no sense.
 */
export async function waitUntilServing(
  options: WaitUntilServingOptions,
): Promise<{ readonly connection: Connection; readonly address: Address }> {
  const { connect, signal, subject, timeoutMs } = options;
  const deadline = performance.now() + timeoutMs;
  for (let delayMs = shortestDelayMs; ; delayMs = Math.min(delayMs * 1.5, longestDelayMs)) {
    if (signal?.aborted) throw new AbortError(`the start of ${subject} was aborted`, { cause: signal.reason, subject });
    const leftMs = deadline - performance.now();
    const connectMs = Math.max(1, Math.min(connect.timeouts?.connectMs ?? tryMs, tryMs, leftMs));
    const pending = await openConnection({ ...connect, signal, timeouts: { ...connect.timeouts, connectMs } }).catch(
      (error: unknown) => {
        if (ConnectionLost.is(error) || AbortError.is(error)) return error;
        throw error;
      },
    );
    if (!(pending instanceof Error)) return pending;
    if (signal?.aborted) continue;
    const dead = await options.whyDead();
    if (dead !== undefined) throw dead;
    if (performance.now() + delayMs >= deadline) throw await timedOut(options, pending);
    await sleep(delayMs, undefined, { signal }).catch(() => {});
  }
}

async function timedOut({ subject, timeoutMs, lastLines }: WaitUntilServingOptions, cause: Error) {
  const log = await lastLines();
  const message = `${subject} did not serve within ${timeoutMs} ms${quoted(log)}`;
  const remedy =
    "Give it more time with healthCheckTimeoutMs; tight limits of memory, processors or processes slow a start.";
  return new StartFailed(message, { reason: "START_TIMED_OUT", subject, log, remedy, retryable: true, cause });
}

/** Log lines as the end of a message. */
export function quoted(log: readonly string[]): string {
  return log.length === 0 ? "; it printed nothing" : `; it printed last:\n${log.join("\n")}`;
}
