/** How long a line may wait for others. */
const GATHER_MS = 50;
/** More than that does not wait. */
const MOST_BYTES = 64 * 1024;
/** The number of pino's level "warn". */
const WARN = 40;

/** Makes pino say the level of a line before it writes it. */
const needsLevel: unique symbol = Symbol.for("pino.metadata");

/**
 * Writes log lines many at a time, since each write wakes a thread, a quarter of what a small call costs. What tells of
 * trouble is written at once, with what waits before it.
 */
export class LogBatches {
  readonly [needsLevel] = true;
  /** Set by pino. */
  lastLevel = 0;
  readonly #write: (lines: string) => void;
  #waiting = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (lines: string) => void) {
    this.#write = write;
  }

  write(line: string): void {
    this.#waiting += line;
    if (this.lastLevel >= WARN || this.#waiting.length >= MOST_BYTES) return this.flush();
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS).unref();
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#waiting;
    this.#waiting = "";
    if (lines !== "") this.#write(lines);
  }
}
