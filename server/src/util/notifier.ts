/** Something that others wait for, again and again. */
export class Notifier {
  readonly #listeners = new Set<() => void>();

  /** Calls back at every `notify`; returns the unsubscribe. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  notify(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Resolves at the next `notify`, when `timeoutMs` are over, or when `abort` aborts; says whether it was notified. */
  next(timeoutMs: number, abort?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (notified: boolean): void => {
        clearTimeout(timer);
        unsubscribe();
        abort?.removeEventListener("abort", onAbort);
        resolve(notified);
      };
      const onAbort = (): void => settle(false);
      const timer = setTimeout(() => settle(false), timeoutMs);
      timer.unref();
      const unsubscribe = this.subscribe(() => settle(true));
      if (abort?.aborted === true) return settle(false);
      abort?.addEventListener("abort", onAbort, { once: true });
    });
  }
}
