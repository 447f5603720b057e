import type { DiffAnswer } from "./get-diff.ts";

const RETENTION_MS = 60_000;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Keeps the diffs that did not fit into one reply until the next part is asked for: git would otherwise compare the
 * whole file again for each. What is too large, or too old, is made anew.
 */
export class KeptDiffs {
  readonly #kept = new Map<string, { readonly answer: DiffAnswer; readonly timer: NodeJS.Timeout }>();
  #bytes = 0;

  /** @param key equal for equal questions of one etag */
  get(key: string): DiffAnswer | undefined {
    return this.#kept.get(key)?.answer;
  }

  keep(key: string, answer: DiffAnswer): void {
    if (sizeOf(answer) > MOST_BYTES || this.#kept.has(key)) return;
    const timer = setTimeout(() => this.#forget(key), RETENTION_MS);
    timer.unref();
    this.#kept.set(key, { answer, timer });
    this.#bytes += sizeOf(answer);
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= MOST_BYTES) return;
      this.#forget(oldest);
    }
  }

  close(): void {
    for (const key of this.#kept.keys()) this.#forget(key);
  }

  #forget(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    clearTimeout(kept.timer);
    this.#kept.delete(key);
    this.#bytes -= sizeOf(kept.answer);
  }
}

function sizeOf({ original, modified, unifiedDiff }: DiffAnswer): number {
  return unifiedDiff.length + (original?.data?.length ?? 0) + (modified?.data?.length ?? 0);
}
