import { removeGroup } from "./cgroup-directory.ts";

/** How often a group is tried again that was not empty when its exec was let go. */
const SWEEP_INTERVAL_MS = 5_000;
/** How long a group waits for others to be removed with it: the next command is not to wait for each of them. */
const GATHER_MS = 20;

/** The groups that are to go as soon as nothing is in them. */
export class GroupRemovals {
  readonly #waiting = new Set<string>();
  readonly #interval = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
  #soon: NodeJS.Timeout | undefined;
  #isClosed = false;

  add(directories: readonly string[]): void {
    for (const directory of directories) this.#waiting.add(directory);
    if (this.#isClosed) this.#sweep();
    else this.#soon ??= setTimeout(() => this.#sweep(), GATHER_MS).unref();
  }

  /** Removes what can be removed, and from now on at once. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#interval);
    this.#sweep();
  }

  #sweep(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    for (const directory of this.#waiting) if (removeGroup(directory)) this.#waiting.delete(directory);
  }
}
