import { setTimeout as delay } from "node:timers/promises";
import { MARK_VARIABLE } from "../exec/process/environment.ts";
import { isGone, listProcesses, readEnvironmentVariable, readProcStat } from "../exec/process/proc-stat.ts";

const PAUSE_MS = 10;
/** With the pause between them, 10 s: what is left then hangs in the kernel. */
const KILL_ROUNDS = 1_000;

/**
 * Ends every process that bears the mark in its environment: git, what it runs to reach a remote, hooks, and what those
 * left in the background. Answers false where there is no /proc to look for them in.
 */
export async function endMarked(mark: string, graceMs: number): Promise<boolean> {
  const deadline = performance.now() + graceMs;
  let marked = findMarked(mark);
  if (marked === undefined) return false;
  // Once: at a second one git would break off clearing away what it was making.
  signalAll(marked, "SIGTERM");
  while (marked !== undefined && marked.length > 0 && performance.now() < deadline) {
    await delay(PAUSE_MS);
    marked = findMarked(mark);
  }
  for (let round = 0, empty = 0; empty < 2 && round < KILL_ROUNDS; round++) {
    marked = findMarked(mark) ?? [];
    empty = marked.length === 0 ? empty + 1 : 0;
    signalAll(marked, "SIGKILL");
    if (empty === 0) await delay(PAUSE_MS);
  }
  return true;
}

function findMarked(mark: string): number[] | undefined {
  return listProcesses()?.filter((pid) => {
    if (pid <= 1 || pid === process.pid || readEnvironmentVariable(pid, MARK_VARIABLE) !== mark) return false;
    const stat = readProcStat(pid);
    return stat !== undefined && !isGone(stat);
  });
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone, or another user's.
    }
  }
}
