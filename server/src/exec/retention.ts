import type { Exec } from "./exec.ts";
import type { Limits } from "../util/limits.ts";

/** The sum over all journals is taken anew after so many bytes of output. */
const MEASURE_EVERY_BYTES = 16 * 1024 * 1024;

/** The longest wait that Node's timers know; a longer one would be over at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface RetentionOptions {
  readonly limits: Limits;
  /** All execs there are, running and ended. */
  readonly execs: ReadonlyMap<string, Exec>;
  readonly expire: (exec: Exec) => void;
}

/** Says when ended execs go: after their time, when there are too many, or when their output fills the disk. */
export class Retention {
  readonly #options: RetentionOptions;
  /** In the order in which they ended. */
  readonly #ended = new Set<Exec>();
  #timer: NodeJS.Timeout | undefined;
  #unmeasuredBytes = 0;
  #isMeasuring = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Begins the time of an exec that has ended. */
  ended(exec: Exec): void {
    const { execRetentionMs, maxEndedExecs } = this.#options.limits;
    exec.expireTimeMs = (exec.ended?.endTimeMs ?? Date.now()) + execRetentionMs;
    this.#ended.add(exec);
    while (this.#ended.size > maxEndedExecs && this.#expireOldest());
    this.#arm();
  }

  /** Output came: looks after the sum of all journals now and then. */
  grew(bytes: number): void {
    this.#unmeasuredBytes += bytes;
    if (this.#unmeasuredBytes < MEASURE_EVERY_BYTES || this.#isMeasuring) return;
    this.#unmeasuredBytes = 0;
    this.#isMeasuring = true;
    void this.#makeRoom().finally(() => (this.#isMeasuring = false));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const [oldest] = this.#ended;
    if (oldest?.expireTimeMs === undefined) return;
    const leftMs = Math.max(0, oldest.expireTimeMs - Date.now());
    this.#timer = setTimeout(() => this.#expireDue(), Math.min(leftMs, LONGEST_TIMER_MS));
    this.#timer.unref();
  }

  #expireDue(): void {
    for (const exec of this.#ended) {
      if ((exec.expireTimeMs ?? 0) > Date.now()) break;
      this.#expire(exec);
    }
    this.#arm();
  }

  #expireOldest(): boolean {
    const [oldest] = this.#ended;
    if (oldest === undefined) return false;
    this.#expire(oldest);
    return true;
  }

  #expire(exec: Exec): void {
    this.#ended.delete(exec);
    this.#options.expire(exec);
  }

  /** Ended execs go first, then the oldest bytes of the running one that keeps most. */
  async #makeRoom(): Promise<void> {
    const { execs, limits } = this.#options;
    const journals = await Promise.all(
      [...execs.values()].map(async (exec) => ({
        exec,
        journal: exec.ended === undefined ? await exec.journal() : undefined,
      })),
    );
    const running = journals.flatMap(({ journal }) => (journal === undefined ? [] : [journal]));
    let total = running.reduce((sum, journal) => sum + journal.diskBytes, 0);
    for (const exec of this.#ended) total += keptBytes(exec, limits);
    for (const exec of this.#ended) {
      if (total <= limits.maxTotalJournalBytes) return;
      total -= keptBytes(exec, limits);
      this.#expire(exec);
    }
    while (total > limits.maxTotalJournalBytes) {
      const [largest] = running.toSorted((a, b) => b.diskBytes - a.diskBytes);
      const freed = largest?.dropOldest() ?? 0;
      if (freed === 0) return;
      total -= freed;
    }
  }
}

function keptBytes(exec: Exec, limits: Limits): number {
  const { stdoutBytes = 0, stderrBytes = 0 } = exec.ended ?? {};
  return Math.min(stdoutBytes + stderrBytes, limits.maxJournalBytes);
}
