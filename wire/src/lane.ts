import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Gathered } from "./gather.ts";
import { MessageMemory } from "./message-memory.ts";

/**
 * What one call carries beside Connect's own pipeline. Connect gets an empty message, a token, for each message that is
 * large; the message itself goes by here. Both ways keep the order, so that the first in the queue belongs to the next
 * token or message that Connect hands on.
 */
export class Lane extends MessageMemory {
  /** The types of the messages that come and go, once the call is known to be a stream of binary messages. */
  types: { readonly incoming: DescMessage; readonly outgoing: DescMessage } | undefined;
  /** For each message on its way out: its pieces, or undefined where Connect has it. */
  readonly outgoing: (Gathered | undefined)[] = [];
  /** The call's deadline is over: no more will be read of what comes in. */
  onDeadline: ((error: ConnectError) => void) | undefined;
  readonly #incoming: (Lent | undefined)[] = [];
  #incomingBytes = 0;

  /** For each message on its way in: itself, or undefined where Connect has it. */
  get incoming(): readonly (Lent | undefined)[] {
    return this.#incoming;
  }

  /** How many bytes those have that are large. */
  get incomingBytes(): number {
    return this.#incomingBytes;
  }

  /** The next message has come, or Connect has it. */
  put(message: Lent | undefined): void {
    this.#incoming.push(message);
    this.#incomingBytes += message?.memory.length ?? 0;
  }

  /** The next message that came. */
  shift(): Lent | undefined {
    const message = this.#incoming.shift();
    this.#incomingBytes -= message?.memory.length ?? 0;
    return message;
  }
}

/** A message that was read, and the memory that its bytes lie in. */
export interface Lent {
  readonly message: Message;
  readonly memory: Uint8Array;
}
