import { setImmediate } from "node:timers/promises";
import type { OutputPump } from "./output-pump.ts";

/** How many turns a background process that holds the pipe may keep the end waiting by saying nothing. */
const QUIET_TURNS = 5;
/** How many it may keep the end waiting by talking. Each reads what a pipe has, or at least a good part of it. */
const TALKING_TURNS = 50;
/** The least that a turn takes. */
const TURN_MS = 10;

/**
 * Reads what a command printed before it exited. A pipe that nobody holds any more ends by itself; one that a background
 * process holds (`sleep 300 &`) never does, so after the exit it is enough that it once stood empty.
 *
 * What counts are turns of the event loop in which the pipes were looked at, and not time: where the loop stands still on
 * a busy machine, much time goes by without a look.
 */
export async function drain(pump: OutputPump): Promise<void> {
  pump.takeTheRest();
  let quietTurns = 0;
  let talkingTurns = 0;
  while (!pump.isAtEnd && !(pump.isPaused && pump.hasTakenTheRest)) {
    const { reads, isPaused: wasPaused } = pump;
    await step(pump);
    if (pump.isAtEnd) return;
    // The loop has polled the pipes between a timer and the immediate after it: what was there is read, unless they were
    // paused for a part of it.
    await setImmediate();
    const hasLooked = !wasPaused && !pump.isPaused;
    talkingTurns = hasLooked ? talkingTurns + 1 : 0;
    quietTurns = hasLooked && pump.reads === reads ? quietTurns + 1 : 0;
    if (quietTurns >= QUIET_TURNS || talkingTurns >= TALKING_TURNS) return;
  }
}

/** Resolves when every holder of the pipes has closed them, or after a while. */
function step(pump: OutputPump): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, TURN_MS);
    void pump.closed.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
