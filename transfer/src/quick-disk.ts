import { statfs } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";

/**
 * Decides whether small files are read and written on this thread: the way to another and back takes several times as
 * long as a file that is in memory. Only on a disk of this machine: one behind a network may stand still for minutes. One
 * that was slow once is left to the other threads for a while, and whatever else this thread has to do gets its turn every
 * few milliseconds.
 */
export class QuickDisk {
  readonly #isLocal: boolean;
  #asynchronous = 0;
  #spent = 0;

  constructor({ isLocal }: { readonly isLocal: boolean }) {
    this.#isLocal = isLocal;
  }

  /** The disk that a directory lies on. */
  static async under(directory: Uint8Array): Promise<QuickDisk> {
    const type = await statfs(Buffer.from(directory)).then(
      (stats) => stats.type,
      () => undefined,
    );
    return new QuickDisk({ isLocal: type !== undefined && localFileSystems.has(type >>> 0) });
  }

  /** To be asked once for each file. */
  get isQuick(): boolean {
    if (this.#asynchronous > 0) {
      this.#asynchronous--;
      return false;
    }
    return this.#isLocal;
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
/** By their magic numbers, statfs(2): ext, XFS, Btrfs, tmpfs, overlay, ZFS, F2FS, bcachefs; APFS on macOS. */
const localFileSystems = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010, 0xca451a4e, 0x1a,
]);
