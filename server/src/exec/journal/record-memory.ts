/** A piece holds two of the largest records. The first ones are smaller: most commands print little. */
const PIECE_BYTES = 128 * 1024 + 1024;
/** How many pieces are kept that nobody needs at the moment: as many as the largest write lets go of at once. */
const MAX_FREE = 8;

/**
 * Memory for records that come and go in great numbers, cut from pieces that are used again. Memory that is taken afresh
 * for each of them would cost more than everything else that is done with their bytes: it lives too long to be found by
 * the collector's quick look at what is young.
 */
export class RecordMemory {
  #piece: Buffer = Buffer.alloc(0);
  #used = 0;
  /** How many records lie in each piece. */
  readonly #records = new Map<ArrayBufferLike, number>();
  readonly #free: Buffer[] = [];

  /** Memory of exactly so many bytes. */
  take(bytes: number): Buffer {
    if (this.#used + bytes > this.#piece.length) this.#begin(bytes);
    const { buffer } = this.#piece;
    const memory = this.#piece.subarray(this.#used, this.#used + bytes);
    this.#used += bytes;
    this.#records.set(buffer, (this.#records.get(buffer) ?? 0) + 1);
    return memory;
  }

  /** Nobody reads this memory any more, the file system included. */
  giveBack({ buffer }: Buffer): void {
    const left = (this.#records.get(buffer) ?? 0) - 1;
    if (left > 0) {
      this.#records.set(buffer, left);
      return;
    }
    this.#records.delete(buffer);
    if (buffer === this.#piece.buffer) this.#used = 0;
    else if (this.#free.length < MAX_FREE && buffer.byteLength === PIECE_BYTES) this.#free.push(Buffer.from(buffer));
  }

  /** Keeps nothing for later. */
  clear(): void {
    this.#piece = Buffer.alloc(0);
    this.#used = 0;
    this.#free.length = 0;
  }

  #begin(bytes: number): void {
    const length = Math.max(bytes, Math.min(2 * this.#piece.length, PIECE_BYTES));
    this.#piece = (length === PIECE_BYTES ? this.#free.pop() : undefined) ?? Buffer.allocUnsafeSlow(length);
    this.#used = 0;
  }
}
