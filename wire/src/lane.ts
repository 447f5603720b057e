import type { DescMessage, Message } from "@bufbuild/protobuf";
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
  /** For each message on its way in: itself, or undefined where Connect has it. */
  readonly incoming: (Lent | undefined)[] = [];
}

/** A message that was read, and the memory that its bytes lie in. */
export interface Lent {
  readonly message: Message;
  readonly memory: Uint8Array;
}
