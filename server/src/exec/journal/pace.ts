import { setImmediate } from "node:timers/promises";

/** How long others may have to wait for the event loop. */
const SLICE_MS = 5;

/** Lets others have the event loop while a long computation goes on, and says when it has gone on for long enough. */
export class Pace {
  readonly #endMs: number;
  #nowMs = performance.now();
  #sliceEndMs = this.#nowMs + SLICE_MS;

  constructor(maxMs: number) {
    this.#endMs = this.#nowMs + maxMs;
  }

  /** Whether the time is up. */
  get isOver(): boolean {
    return this.#nowMs >= this.#endMs;
  }

  /** Whether it is the others' turn. */
  get isDue(): boolean {
    this.#nowMs = performance.now();
    return this.#nowMs >= this.#sliceEndMs;
  }

  async letOthersRun(): Promise<void> {
    await setImmediate();
    this.#nowMs = performance.now();
    this.#sliceEndMs = this.#nowMs + SLICE_MS;
  }
}
