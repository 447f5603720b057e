import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ExecService } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { toExecEnd } from "./from-wire.ts";
import type { ExecEnd } from "./results.ts";

/** How long one call waits: shorter than most proxies let a connection be silent. */
const longestPollMs = 20_000;
const shortestPollMs = 500;

export interface WaitForEndOptions {
  /** How long to wait, in milliseconds. Default: without end. */
  readonly forMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a command ended, once it has; undefined if it still runs after `forMs`. Reads none of its output. */
export async function waitForEnd(
  connection: Connection,
  execId: string,
  { forMs = Infinity, signal }: WaitForEndOptions,
): Promise<ExecEnd | undefined> {
  const deadline = performance.now() + forMs;
  const retry = connection.retry({ signal, subject: { execId, mayHaveRun: true } });
  let pollMs = longestPollMs;
  for (;;) {
    const waitMs = Math.max(0, Math.min(pollMs, deadline - performance.now()));
    const request = { execId, wait: durationFromMs(Math.round(waitMs)) };
    const timeoutMs = waitMs + connection.callMs;
    try {
      const { exec } = await connection.attempt(ExecService.method.getExec, request, retry, { signal, timeoutMs });
      retry.progress();
      if (exec?.ended) return toExecEnd(exec.ended, connection.peer?.platform ?? "");
      if (performance.now() >= deadline) return undefined;
    } catch (error) {
      // It may have been cut for its silence: the next one is shorter.
      pollMs = Math.max(shortestPollMs, pollMs / 2);
      await retry.after(error);
    }
  }
}
