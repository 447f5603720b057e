import type { WatchNews } from "./watch-change.ts";

export interface WatchSessionOptions {
  readonly id: string;
  /** Equal for equal requests. */
  readonly fingerprint: string;
  /** How many changes are kept for a reader that is slow or away. */
  readonly maxBacklog: number;
  /** How long it is kept without a reader. */
  readonly graceMs: number;
}

/** The news of one watch, kept until they are read, and for a while after, so that a reader that was cut can go on. */
export class WatchSession {
  readonly id: string;
  readonly fingerprint: string;
  onClose: () => void = () => {};
  readonly #options: WatchSessionOptions;
  /** The news from position `#first` on. */
  #backlog: WatchNews[] = [];
  #first = 0;
  #changes = 0;
  #readers = 1;
  #wake = new Set<() => void>();
  #graceTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: WatchSessionOptions) {
    this.id = options.id;
    this.fingerprint = options.fingerprint;
    this.#options = options;
  }

  token(position: number): string {
    return `${this.id}.${position}`;
  }

  add(news: WatchNews): void {
    this.#backlog.push(news);
    this.#changes += sizeOf(news);
    if (this.#changes > this.#options.maxBacklog) this.#shrink();
    for (const wake of this.#wake) wake();
    this.#wake.clear();
  }

  /** The news from a position on, each with the position after it; no news at all as a sign of life. */
  async *read(
    begin: number,
    signal: AbortSignal,
    heartbeatMs: number,
  ): AsyncGenerator<{ news: WatchNews | undefined; position: number }> {
    let position = begin;
    while (!signal.aborted && !this.#isClosed) {
      if (position < this.#first) {
        // What came since is not kept: it is told by a look at everything.
        position = this.#first + this.#backlog.length;
        yield { news: { type: "resync", cause: "More changes came than are kept for a reader." }, position };
        continue;
      }
      const news = this.#backlog[position - this.#first];
      if (news !== undefined) {
        yield { news, position: ++position };
        continue;
      }
      if (!(await this.#news(signal, heartbeatMs))) yield { news: undefined, position };
    }
  }

  /** A reader comes back. */
  enter(): void {
    clearTimeout(this.#graceTimer);
    this.#readers++;
  }

  /** A reader goes; after a while without any `onAbandoned` is called. */
  leave(onAbandoned: () => void): void {
    if (--this.#readers > 0 || this.#isClosed) return;
    this.#graceTimer = setTimeout(onAbandoned, this.#options.graceMs).unref();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#graceTimer);
    for (const wake of this.#wake) wake();
    this.onClose();
  }

  /** Waits for news; false where none came for a while. */
  #news(signal: AbortSignal, heartbeatMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isNews: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        this.#wake.delete(wake);
        resolve(isNews);
      };
      const wake = (): void => end(true);
      const timer = setTimeout(() => end(false), heartbeatMs);
      signal.addEventListener("abort", wake, { once: true });
      this.#wake.add(wake);
    });
  }

  /** Drops the oldest half; whoever has not read it is told to look at everything. */
  #shrink(): void {
    while (this.#changes > this.#options.maxBacklog / 2) {
      const news = this.#backlog.shift();
      if (news === undefined) return;
      this.#first++;
      this.#changes -= sizeOf(news);
    }
  }
}

function sizeOf(news: WatchNews): number {
  return news.type === "changes" ? news.changes.length : 1;
}
