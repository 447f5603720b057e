/**
 * Notices when the kernel may have dropped events. All watches of a process share one queue of the kernel; when it is
 * full, events are dropped, and Node passes over the event that says so. So a burst that comes near the queue's length
 * counts as one that filled it.
 */
export class Burst {
  readonly #limit: number;
  readonly #listeners = new Set<() => void>();
  #windowStart = 0;
  #events = 0;

  constructor(limit = nearQueueLength) {
    this.#limit = limit;
  }

  /** Counts an event. */
  count(): void {
    const now = performance.now();
    if (now - this.#windowStart > windowMs) {
      this.#windowStart = now;
      this.#events = 0;
    }
    if (++this.#events !== this.#limit) return;
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Half of fs.inotify.max_queued_events, which is 16,384 nearly everywhere. */
const nearQueueLength = 8_192;
const windowMs = 250;
