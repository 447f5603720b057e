import { setImmediate } from "node:timers/promises";
import type { OutputPump } from "./output-pump.ts";

/** How long a background process that holds the pipe may keep the end waiting by saying nothing. */
const QUIET_MS = 50;
/** How long it may keep the end waiting by talking. */
const TALKING_MS = 500;
const STEP_MS = 10;

/**
 * Reads what a command printed before it exited. A pipe that nobody holds any more ends by itself; one that a background
 * process holds (`sleep 300 &`) never does, so after the exit it is enough that it once stood empty.
 */
export async function drain(pump: OutputPump): Promise<void> {
  pump.takeTheRest();
  let reads = pump.reads;
  let quietSince = performance.now();
  let talkingSince = quietSince;
  while (!pump.isAtEnd && !(pump.isPaused && pump.hasTakenTheRest)) {
    await step(pump);
    if (pump.isAtEnd) return;
    // The loop has polled the pipes between a timer and the immediate after it: what was there is read.
    await setImmediate();
    const now = performance.now();
    if (pump.isPaused) talkingSince = now;
    if (pump.isPaused || pump.reads !== reads) quietSince = now;
    reads = pump.reads;
    if (now - quietSince >= QUIET_MS || now - talkingSince >= TALKING_MS) return;
  }
}

/** Resolves when every holder of the pipes has closed them, or after a while. */
function step(pump: OutputPump): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, STEP_MS);
    void pump.closed.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
