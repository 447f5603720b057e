import type { App } from "../app.ts";
import { within } from "../util/within.ts";
import type { Listener } from "./listener.ts";
import type { RunningRequests } from "./running-requests.ts";

export interface DrainOptions {
  /** How long running calls may take to finish. */
  readonly graceMs: number;
  /** Ends what the calls wait for, such as running commands; the grace bounds it, too. */
  readonly stopWork?: () => Promise<void>;
}

/**
 * Takes no new calls, lets the running ones finish within the grace, then cuts what is left with SERVER_STOPPING. Takes
 * the grace and a second at most; whoever still has not read that by then is broken off.
 */
export async function drain(
  { lifecycle, health }: App,
  listener: Listener,
  running: RunningRequests,
  { graceMs, stopWork }: DrainOptions,
): Promise<void> {
  const deadline = performance.now() + graceMs;
  lifecycle.refuseNewCalls();
  health.stop();
  listener.refuseConnections();
  if (stopWork !== undefined) await within(graceMs, stopWork());
  await running.idle(Math.max(0, deadline - performance.now()));
  lifecycle.cutRunningCalls();
  await running.idle(cutMs);
}

/** How long a peer may take to hear that its call was cut. */
const cutMs = 1_000;
