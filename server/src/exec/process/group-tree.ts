import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { ProcessTree } from "./process-tree.ts";

const { SIGCONT, SIGKILL, SIGTERM } = constants.signals;
const PAUSE_MS = 20;
/** How often it looks whether what was killed is gone. */
const KILL_ROUNDS = 200;

/** What can be known of a tree without /proc: its process group. What leaves that group is lost sight of. */
export function createGroupTree(group: number): ProcessTree {
  let deadline = Number.POSITIVE_INFINITY;
  let ending: Promise<void> | undefined;

  async function end(): Promise<void> {
    if (deadline > performance.now()) {
      sendToGroup(group, SIGTERM);
      sendToGroup(group, SIGCONT);
    }
    while (performance.now() < deadline && sendToGroup(group, 0)) await delay(PAUSE_MS);
    for (let round = 0; round < KILL_ROUNDS && sendToGroup(group, SIGKILL); round++) await delay(PAUSE_MS);
  }

  return {
    signal: (signal) => Promise.resolve(sendToGroup(group, signal) ? 1 : 0),
    end(graceMs) {
      deadline = Math.min(deadline, performance.now() + graceMs);
      ending ??= end().finally(() => {
        ending = undefined;
        deadline = Number.POSITIVE_INFINITY;
      });
      return ending;
    },
  };
}

/** Answers whether there was anybody to get it. */
export function sendToGroup(group: number, signal: number): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
