import { setTimeout as sleep } from "node:timers/promises";

export interface BackoffOptions {
  /** The first delay, in milliseconds; each next one is twice as long. */
  readonly initialDelayMs: number;
  /** The longest delay, in milliseconds. */
  readonly maxDelayMs: number;
}

/** Delays that grow, each shortened at random by up to half, so that many clients do not come back as one. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  reset(): void {
    this.#failures = 0;
  }

  /** The next delay, in milliseconds. */
  next(): number {
    const { initialDelayMs, maxDelayMs } = this.#options;
    const full = Math.min(maxDelayMs, initialDelayMs * 2 ** this.#failures++);
    return full * (0.5 + Math.random() / 2);
  }

  /** Waits for the next delay; less if `signal` is aborted, without an error. */
  async wait(signal: AbortSignal): Promise<void> {
    await sleep(this.next(), undefined, { signal }).catch(() => {});
  }
}
