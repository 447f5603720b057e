import { signalName } from "./signals.ts";

type OnExit = (code: number | null, signal: string | null) => void;

/** How often it looks without being told: a signal is lost where somebody in this process replaces its handler. */
const LOOK_MS = 1_000;

/** Tells when children are gone that Node knows nothing of, and takes them off the process table. */
export class Reaper {
  readonly #reap: (pid: number) => number | null | undefined;
  readonly #running = new Map<number, OnExit>();
  readonly #look = (): void => this.#lookAtAll();
  #timer: NodeJS.Timeout | undefined;

  /** @param reap answers undefined while a child runs; then its exit code, or minus the signal; null if there is none */
  constructor(reap: (pid: number) => number | null | undefined) {
    this.#reap = reap;
  }

  /** To be called before a child is started, or its end could go unheard. */
  listen(): void {
    if (process.listenerCount("SIGCHLD", this.#look) === 0) process.on("SIGCHLD", this.#look);
    this.#timer ??= setInterval(() => (this.#running.size > 0 ? this.#look() : this.#stopListening()), LOOK_MS).unref();
  }

  /** Calls back when that child is gone. While it runs, it keeps this process alive, as a child of Node's does. */
  watch(pid: number, onExit: OnExit): void {
    this.#running.set(pid, onExit);
    this.#timer?.ref();
  }

  #lookAtAll(): void {
    for (const [pid, onExit] of this.#running) {
      const end = this.#reap(pid);
      if (end === undefined) continue;
      this.#running.delete(pid);
      if (end === null || end >= 0) onExit(end, null);
      else onExit(null, signalName(-end));
    }
    if (this.#running.size === 0) this.#timer?.unref();
  }

  #stopListening(): void {
    process.off("SIGCHLD", this.#look);
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
