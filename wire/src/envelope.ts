import { toBinary } from "@bufbuild/protobuf";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { gather } from "./gather.ts";
import type { Gathered } from "./gather.ts";

/** The flags and the length that are in front of each message. */
export const envelopeBytes = 5;

/** Data in its envelope. */
export function envelope(data: Uint8Array, flags = 0): Uint8Array {
  const bytes = Buffer.allocUnsafe(envelopeBytes + data.length);
  bytes[0] = flags;
  bytes.writeUInt32BE(data.length, 1);
  bytes.set(data, envelopeBytes);
  return bytes;
}

/** A message whose large values go by reference in its envelope, in pieces. */
export function envelopeOfGathered({ parts, byteLength }: Gathered): readonly Uint8Array[] {
  const header = Buffer.alloc(envelopeBytes);
  header.writeUInt32BE(byteLength, 1);
  const [first, ...others] = parts;
  return [Buffer.concat([header, first ?? none]), ...others];
}

/** A message in its envelope; in several pieces where it has large values, which go by reference. */
export function envelopeOf(desc: DescMessage, message: Message): readonly Uint8Array[] {
  try {
    const gathered = gather(desc, message);
    return gathered === undefined ? [envelope(toBinary(desc, message))] : envelopeOfGathered(gathered);
  } catch (error) {
    // In the words of Connect.
    throw new ConnectError(
      `serialize binary: ${error instanceof Error ? error.message : String(error)}`,
      Code.Internal,
    );
  }
}

const none = new Uint8Array(0);
