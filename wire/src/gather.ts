import { create, ScalarType, toBinary } from "@bufbuild/protobuf";
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** From how many bytes on a value goes by reference. Below that a copy costs less than a piece of its own. */
export const heavy = { fromBytes: 4096 };

/** A serialized message in pieces, of which the large ones are the very arrays that the message holds. */
export interface Gathered {
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;
}

/**
 * Serializes a message to the bytes that `toBinary` makes of it, with large `bytes` values by reference. Undefined where
 * nothing in it is large, or where its type is one that only `toBinary` can do.
 */
export function gather(desc: DescMessage, message: Message): Gathered | undefined {
  if (!isHeavy(desc, message)) return undefined;
  const pieces: Uint8Array[] = [];
  const byteLength = addMessage(pieces, desc, message);
  return { parts: joinSmall(pieces), byteLength };
}

type Values = Readonly<Record<string, unknown>>;

/** Adds the message's pieces, in the order of field numbers as `toBinary` has it, and returns their length. */
function addMessage(pieces: Uint8Array[], desc: DescMessage, message: Message): number {
  let length = 0;
  let from = 0;
  for (const field of fieldsWithBytes(desc)) {
    const value = valueOf(field, message);
    if (!isHeavyValue(field, value)) continue;
    length += addLight(pieces, desc, message, from, field.number);
    for (const item of field.fieldKind === "list" ? (value as unknown[]) : [value]) {
      length += addItem(pieces, field, item as Uint8Array | Message);
    }
    from = field.number + 1;
  }
  return length + addLight(pieces, desc, message, from, Infinity);
}

function addItem(pieces: Uint8Array[], field: DescField, item: Uint8Array | Message): number {
  const at = pieces.length;
  // Its place is kept: the length comes before the bytes, and is known after them.
  pieces.push(none);
  let length: number;
  if (item instanceof Uint8Array) {
    length = item.length;
    pieces.push(item);
  } else {
    length = addMessage(pieces, field.message as DescMessage, item);
  }
  const head = new BinaryWriter().tag(field.number, WireType.LengthDelimited).uint32(length).finish();
  pieces[at] = head;
  return head.length + length;
}

/** The fields from one number up to before another, none of them heavy, as `toBinary` serializes them. */
function addLight(pieces: Uint8Array[], desc: DescMessage, message: Message, from: number, to: number): number {
  const fields = desc.fields.filter(
    (field) => field.number >= from && field.number < to && mayBeSet(valueOf(field, message)),
  );
  const unknown = to === Infinity ? message.$unknown : undefined;
  if (fields.length === 0 && unknown === undefined) return 0;
  const part = create(desc) as Message & Record<string, unknown>;
  for (const field of fields) {
    const { localName } = field.oneof ?? field;
    part[localName] = (message as unknown as Values)[localName];
  }
  if (unknown !== undefined) part.$unknown = unknown;
  const bytes = toBinary(desc, part);
  pieces.push(bytes);
  return bytes.length;
}

/** Undefined where it is not the one of its oneof that is set. */
function valueOf(field: DescField, message: Message): unknown {
  const values = message as unknown as Values;
  if (field.oneof === undefined) return values[field.localName];
  const selected = values[field.oneof.localName] as { case?: string; value?: unknown } | undefined;
  return selected?.case === field.localName ? selected.value : undefined;
}

/** Leaves out only what is certainly not on the wire: whether a zero is, `toBinary` knows. */
function mayBeSet(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}

function isHeavy(desc: DescMessage, message: Message): boolean {
  if (message.$typeName !== desc.typeName) return false;
  return fieldsWithBytes(desc).some((field) => isHeavyValue(field, valueOf(field, message)));
}

function isHeavyValue(field: DescField, value: unknown): boolean {
  if (value === undefined) return false;
  if (field.fieldKind === "list") return (value as unknown[]).some((item) => isHeavyItem(field, item));
  return isHeavyItem(field, value);
}

function isHeavyItem(field: DescField, item: unknown): boolean {
  if (field.message === undefined) return item instanceof Uint8Array && item.length >= heavy.fromBytes;
  return typeof item === "object" && item !== null && isHeavy(field.message, item as Message);
}

/** Those whose values may hold bytes at some depth, by number; none where the type is not ours to serialize. */
function fieldsWithBytes(desc: DescMessage): readonly DescField[] {
  const known = fieldsByMessage.get(desc);
  if (known !== undefined) return known;
  // For a type that holds itself.
  fieldsByMessage.set(desc, []);
  const fields = hasRequired(desc) ? [] : desc.fields.filter(mayHoldBytes);
  const sorted = fields.toSorted((a, b) => a.number - b.number);
  fieldsByMessage.set(desc, sorted);
  return sorted;
}

function mayHoldBytes(field: DescField): boolean {
  if (field.fieldKind === "scalar") return field.scalar === ScalarType.BYTES;
  if (field.fieldKind === "message") return !field.delimitedEncoding && fieldsWithBytes(field.message).length > 0;
  if (field.fieldKind !== "list") return false;
  if (field.listKind === "scalar") return field.scalar === ScalarType.BYTES;
  return field.listKind === "message" && !field.delimitedEncoding && fieldsWithBytes(field.message).length > 0;
}

/** A part of such a message is not one that `toBinary` takes. */
function hasRequired(desc: DescMessage): boolean {
  return desc.fields.some(({ presence }) => presence === FeatureSet_FieldPresence.LEGACY_REQUIRED);
}

/** Puts what is small and adjacent into one array. */
function joinSmall(pieces: readonly Uint8Array[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    if (small.length > 0) parts.push(small.length === 1 && small[0] !== undefined ? small[0] : Buffer.concat(small));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length < heavy.fromBytes) {
      small.push(piece);
    } else {
      flush();
      parts.push(piece);
    }
  }
  flush();
  return parts;
}

const fieldsByMessage = new WeakMap<DescMessage, readonly DescField[]>();
const none = new Uint8Array(0);
