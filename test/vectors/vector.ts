import { toBinary, toJsonString } from "@bufbuild/protobuf";
import type { DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";

/** Bytes on the wire and what they mean, for every language's stubs to agree on. */
export interface Vector {
  /** Unique: the message, then what is special about it. */
  readonly name: string;
  /** The message's whole name. */
  readonly message: string;
  /** The bytes, in hexadecimal. */
  readonly wire: string;
  /** What they mean, in protobuf's own JSON. */
  readonly json: JsonValue;
  /**
   * Whether these very bytes are written again: not where a map is in them, whose order is free, nor where they are
   * legal and yet not what anybody writes.
   */
  readonly roundTrips: boolean;
  /** Whether they hold fields that the contract does not know; stubs may keep or drop these. */
  readonly unknownFields?: true;
}

/** What a message is on the wire, as this project's own stubs write it. */
export function vectorOf(desc: DescMessage, what: string, message: Message): Vector {
  return {
    name: `${desc.name}: ${what}`,
    message: desc.typeName,
    wire: Buffer.from(toBinary(desc, message)).toString("hex"),
    json: JSON.parse(toJsonString(desc, message)) as JsonValue,
    roundTrips: !hasMap(reflect(desc, message)),
  };
}

function hasMap(message: ReflectMessage): boolean {
  return message.fields.some((field) => {
    if (!message.isSet(field)) return false;
    if (field.fieldKind === "map") return true;
    if (field.fieldKind === "message") return hasMap(message.get(field));
    if (field.fieldKind !== "list" || field.listKind !== "message") return false;
    return [...message.get(field)].some((item) => hasMap(item as ReflectMessage));
  });
}
