/** Memory for the bytes of messages that come in one by one. */
export class MessageMemory {
  /** Whether the reader is done with a message when he asks for the next, so that its memory is used again. */
  reuse = false;
  readonly #free: Uint8Array[] = [];

  /** Memory for at least so many bytes. */
  take(length: number): Uint8Array {
    const index = this.#free.findLastIndex((memory) => memory.length >= length);
    const [memory] = index < 0 ? [] : this.#free.splice(index, 1);
    if (memory !== undefined) return memory;
    // Rounded, since the numbers beside the bytes grow by the one or other byte on the way.
    const size = this.reuse ? Math.ceil((length + 1) / roundBytes) * roundBytes : length;
    return Buffer.allocUnsafeSlow(size);
  }

  /** Nobody reads this memory any more. */
  giveBack(memory: Uint8Array): void {
    if (this.reuse && this.#free.length < maxFree) this.#free.push(memory);
  }
}

const roundBytes = 4096;
/** One message is at the reader's, one is ready, one is being received. */
const maxFree = 3;
