/**
 * The longest time that one step may count for. A step that took longer means that the whole machine or container was
 * frozen, and what was frozen did not run.
 */
const LONGEST_STEP_MS = 1_000;
const STEP_MS = 500;

/**
 * A timer that counts only time in which this process could run: a container that is paused for an hour resumes with as
 * much left as it had. It can be held, which stops the count, and restarted.
 */
export class RunningTimer {
  readonly #durationMs: number;
  readonly #onElapsed: () => void;
  #remainingMs: number;
  #stepStart = 0;
  #step: NodeJS.Timeout | undefined;

  constructor(durationMs: number, onElapsed: () => void) {
    this.#durationMs = durationMs;
    this.#remainingMs = durationMs;
    this.#onElapsed = onElapsed;
    this.#arm();
  }

  /** Begins again with the whole duration, and goes on if it was held. */
  restart(): void {
    this.#remainingMs = this.#durationMs;
    this.#stepStart = performance.now();
    if (this.#step === undefined) this.#arm();
  }

  /** Stops counting until `restart`. */
  hold(): void {
    clearTimeout(this.#step);
    this.#step = undefined;
  }

  #arm(): void {
    this.#stepStart = performance.now();
    const stepMs = Math.min(this.#remainingMs, STEP_MS);
    this.#step = setTimeout(() => this.#count(), stepMs);
    this.#step.unref();
  }

  #count(): void {
    this.#remainingMs -= Math.min(performance.now() - this.#stepStart, LONGEST_STEP_MS);
    if (this.#remainingMs > 0) return this.#arm();
    this.#step = undefined;
    this.#onElapsed();
  }
}
