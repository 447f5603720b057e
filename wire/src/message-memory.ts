/** Memory for the bytes of messages that come in one by one. */
export class MessageMemory {
  /** How many messages the reader holds at most, so that the memory of others is used again. 0: it never is. */
  held = 0;
  readonly #free: Uint8Array[] = [];

  /** Memory for at least so many bytes. */
  take(length: number): Uint8Array {
    const index = this.#free.findLastIndex((memory) => memory.length >= length);
    const [memory] = index < 0 ? [] : this.#free.splice(index, 1);
    if (memory !== undefined) return memory;
    // Rounded, since the numbers beside the bytes grow by the one or other byte on the way.
    const size = this.held > 0 ? Math.ceil((length + 1) / roundBytes) * roundBytes : length;
    return Buffer.allocUnsafeSlow(size);
  }

  /** Nobody reads this memory any more. */
  giveBack(memory: Uint8Array): void {
    if (this.held === 0) return;
    if (this.#free.length < this.held + beside) this.#free.push(memory);
  }
}

const roundBytes = 4096;
/** Beside those that the reader holds one is ready, and one is being received. */
const beside = 2;
