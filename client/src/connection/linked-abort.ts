/**
 * An AbortController of its own that also aborts with others. Unlike with `AbortSignal.any`, nothing of it stays at
 * the others once it is released: some of them live as long as the workspace.
 */
export class LinkedAbort {
  readonly #controller = new AbortController();
  readonly #release: (() => void)[] = [];

  constructor(...parents: (AbortSignal | undefined)[]) {
    for (const parent of parents) {
      if (!parent) continue;
      if (parent.aborted) this.abort(parent.reason);
      const onAbort = () => this.abort(parent.reason);
      parent.addEventListener("abort", onAbort, { once: true });
      this.#release.push(() => parent.removeEventListener("abort", onAbort));
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Lets go of the others. */
  release(): void {
    for (const release of this.#release.splice(0)) release();
  }
}
