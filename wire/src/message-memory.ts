import { heavy } from "./gather.ts";

/** Memory for the bytes of large messages that come in one by one. */
export class MessageMemory {
  /** How many messages the reader holds at most, so that the memory of others is used again. 0: it never is. */
  held = 0;
  readonly #free: Uint8Array[] = [];
  #freeBytes = 0;

  /** Memory for at least so many bytes. */
  take(length: number): Uint8Array {
    const index = this.#free.findLastIndex((memory) => memory.length >= length);
    const [memory] = index < 0 ? [] : this.#free.splice(index, 1);
    if (memory !== undefined) {
      this.#freeBytes -= memory.length;
      return memory;
    }
    // Rounded, since the numbers beside the bytes grow by the one or other byte on the way.
    const size = this.held > 0 ? Math.ceil((length + 1) / roundBytes) * roundBytes : length;
    return Buffer.allocUnsafeSlow(size);
  }

  /** Nobody reads this memory any more. */
  giveBack(memory: Uint8Array): void {
    if (this.held === 0 || memory.length < heavy.fromBytes) return;
    this.#free.push(memory);
    this.#freeBytes += memory.length;
    while (this.#free.length > this.held + beside && this.#freeBytes > mostFreeBytes) {
      this.#freeBytes -= this.#free.shift()?.length ?? 0;
    }
  }
}

const roundBytes = 4096;
/** Beside those that the reader holds one is ready, and one is being received. */
const beside = 2;
/** More of them are ready where much comes at a time: a quarter of the widest window, and as much again. */
const mostFreeBytes = 16 << 20;
