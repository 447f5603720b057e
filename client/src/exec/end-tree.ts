import { ExecService, SignalTarget } from "@yonder/proto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../connection/connection.ts";
import { LinkedAbort } from "../connection/linked-abort.ts";
import { YonderError } from "../errors.ts";
import { waitForEnd } from "./wait-for-end.ts";

/** How long the connection may be away before ending a command is given up, beside its grace. */
const patienceMs = 10_000;
const probeMs = 50;

export const defaultKillGraceMs = 2_000;

/**
 * Ends a command with all that it started: SIGTERM, and after `graceMs` SIGKILL to what is left. Resolves when it has
 * ended, or rejects when that could not be had within the grace and some seconds.
 */
export async function endTree(connection: Connection, execId: string, graceMs = defaultKillGraceMs): Promise<void> {
  const limit = new LinkedAbort();
  const timer = setTimeout(() => limit.abort(undefined), graceMs + patienceMs);
  const { signal } = limit;
  try {
    if (graceMs > 0 && (await sendSignal(connection, execId, "SIGTERM", "tree", signal)) !== "ended") {
      const deadline = performance.now() + graceMs;
      await waitForEnd(connection, execId, { forMs: graceMs, signal });
      // The command's own process may be gone before what it started has cleaned up. SIGCONT asks who is left.
      while (performance.now() < deadline) {
        if ((await sendSignal(connection, execId, "SIGCONT", "tree", signal)) === "ended") return;
        await sleep(probeMs, undefined, { signal });
      }
    }
    await sendSignal(connection, execId, "SIGKILL", "tree", signal);
    await waitForEnd(connection, execId, { forMs: patienceMs, signal });
  } finally {
    clearTimeout(timer);
    limit.release();
  }
}

export type KillTarget = "tree" | "group" | "process";

const targets = {
  tree: SignalTarget.TREE,
  group: SignalTarget.GROUP,
  process: SignalTarget.PROCESS,
} as const;

/** Sends a signal once, however often it has to be sent. "ended": there was nothing left to send it to. */
export async function sendSignal(
  connection: Connection,
  execId: string,
  signalName: string,
  target: KillTarget,
  signal?: AbortSignal,
): Promise<number | "ended"> {
  const request = { execId, signal: signalName, target: targets[target], requestId: crypto.randomUUID() };
  try {
    const subject = { execId, mayHaveRun: false };
    const reply = await connection.call(ExecService.method.sendSignal, request, { signal, subject });
    return reply.signalledProcesses;
  } catch (error) {
    if (YonderError.is(error) && (error.reason === "EXEC_ENDED" || error.reason === "EXEC_EXPIRED")) return "ended";
    throw error;
  }
}
