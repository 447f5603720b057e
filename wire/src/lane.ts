import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Gathered } from "./gather.ts";

/**
 * What one call carries beside Connect's own pipeline. Connect gets an empty message, a token, for each message that is
 * large; the message itself goes by here. Both ways keep the order, so that the first in the queue belongs to the next
 * token or message that Connect hands on.
 */
export class Lane {
  /** The types of the messages that come and go, once the call is known to be a stream of binary messages. */
  types: { readonly incoming: DescMessage; readonly outgoing: DescMessage } | undefined;
  /** For each message on its way out: its pieces, or undefined where Connect has it. */
  readonly outgoing: (Gathered | undefined)[] = [];
  /** For each message on its way in: itself, or undefined where Connect has it. */
  readonly incoming: (Lent | undefined)[] = [];
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

/** A message that was read, and the memory that its bytes lie in. */
export interface Lent {
  readonly message: Message;
  readonly memory: Uint8Array;
}

const roundBytes = 4096;
/** One message is at the reader's, one is ready, one is being received. */
const maxFree = 3;
