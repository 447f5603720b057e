import { setImmediate } from "node:timers/promises";

/**
 * Decides whether small files are read and written on this thread: the way to another and back takes several times as
 * long as a file that is in memory. A disk that was slow once is left to the other threads for a while, and whatever else
 * this thread has to do gets its turn every few milliseconds.
 */
export class QuickDisk {
  #asynchronous = 0;
  #spent = 0;

  /** To be asked once for each file. */
  get isQuick(): boolean {
    if (this.#asynchronous === 0) return true;
    this.#asynchronous--;
    return false;
  }

  /** Does what a file needs. */
  async run<T>(work: () => T): Promise<T> {
    const begin = performance.now();
    try {
      return work();
    } finally {
      const took = performance.now() - begin;
      if (took > slowMilliseconds) this.#asynchronous = filesAfterSlow;
      this.#spent += took;
      if (this.#spent > turnMilliseconds) {
        this.#spent = 0;
        await setImmediate();
      }
    }
  }
}

const slowMilliseconds = 5;
const turnMilliseconds = 4;
const filesAfterSlow = 100;
