/** The least that is taken, so that a program that prints a little more each time does not cost a piece each time. */
const LEAST_BYTES = 4 * 1024;

/** Memory for what one reader reads next, the same again and again; it grows to what he needs. */
export class LentMemory {
  #memory: Buffer | undefined;

  /** Memory for at least so many bytes. What was lent before is gone. */
  readonly lend = (bytes: number): Buffer => {
    if (this.#memory === undefined || this.#memory.length < bytes) {
      this.#memory = Buffer.allocUnsafeSlow(Math.max(LEAST_BYTES, 2 ** Math.ceil(Math.log2(Math.max(1, bytes)))));
    }
    return this.#memory;
  };

  /** Holds none until some is needed again: readers may be many, and most of them wait. */
  release(): void {
    this.#memory = undefined;
  }
}
