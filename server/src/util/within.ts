import { setTimeout as sleep } from "node:timers/promises";

/** Waits for the work, but no longer than that; says whether it was done. What it rejects with, this rejects with. */
export async function within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const timeout = new AbortController();
  try {
    return await Promise.race([
      work.then(() => true),
      sleep(timeoutMs, false, { signal: timeout.signal }).catch(() => false),
    ]);
  } finally {
    timeout.abort();
  }
}
