import { ScalarType, create } from "@bufbuild/protobuf";
import type { DescField, DescMessage, DescOneof } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { messages } from "./contract.ts";
import { oddVectors } from "./odd-vectors.ts";
import { vectorOf } from "./vector.ts";
import type { Vector } from "./vector.ts";

/** The vectors of the whole contract: each message empty and full, each arm of a oneof, and the odd ones. */
export function makeVectors(): Vector[] {
  return [...messages.flatMap(ofMessage), ...oddVectors()];
}

/** The file's text: one vector a line, so that a change of the contract is a small diff. */
export function vectorFile(vectors: readonly Vector[]): string {
  return `[\n${vectors.map((vector) => `  ${JSON.stringify(vector)}`).join(",\n")}\n]\n`;
}

function ofMessage(desc: DescMessage): Vector[] {
  const vectors = [vectorOf(desc, "empty", create(desc))];
  if (desc.fields.length > 0) vectors.push(vectorOf(desc, "full", full(desc).message));
  const optional = desc.fields.filter(
    (field) => field.presence === FeatureSet_FieldPresence.EXPLICIT && field.fieldKind === "scalar" && !field.oneof,
  );
  if (optional.length > 0) {
    const zeros = reflect(desc);
    for (const field of optional) zeros.set(field, zeroOf(field));
    vectors.push(vectorOf(desc, "optional fields set to zero", zeros.message));
  }
  for (const oneof of desc.oneofs) {
    for (const arm of oneof.fields) {
      const message = reflect(desc);
      set(message, arm, 1);
      vectors.push(vectorOf(desc, `only ${arm.name}`, message.message));
    }
  }
  return vectors;
}

/** Every field with a value that is none's default; of a oneof its last arm; messages in it down to `depth`. */
function full(desc: DescMessage, depth = 2): ReflectMessage {
  const message = reflect(desc);
  for (const member of desc.members) {
    const field = member.kind === "oneof" ? lastArm(member) : member;
    if (field) set(message, field, depth);
  }
  return message;
}

function lastArm(oneof: DescOneof): DescField | undefined {
  return oneof.fields.at(-1);
}

function set(message: ReflectMessage, field: DescField, depth: number): void {
  switch (field.fieldKind) {
    case "list": {
      const list = message.get(field);
      for (const nth of [0, 1]) {
        if (field.listKind === "message") list.add(nested(field.message, depth));
        else list.add(field.listKind === "enum" ? enumValue(field, nth) : scalar(field.scalar, `${field.name} ${nth}`));
      }
      return;
    }
    case "map": {
      const map = message.get(field);
      for (const key of ["b", "a"]) map.set(key, `${key} of ${field.name}`);
      return;
    }
    case "message":
      return message.set(field, nested(field.message, depth));
    case "enum":
      return message.set(field, enumValue(field, 0));
    case "scalar":
      return message.set(field, scalar(field.scalar, field.name));
  }
}

function nested(desc: DescMessage, depth: number): ReflectMessage {
  const wellKnown: Record<string, { seconds: bigint; nanos: number }> = {
    "google.protobuf.Timestamp": { seconds: 1_793_318_400n, nanos: 123_456_789 },
    "google.protobuf.Duration": { seconds: 90_061n, nanos: 500_000_000 },
  };
  const value = wellKnown[desc.typeName];
  if (value) return reflect(desc, create(desc, value));
  return depth === 0 ? reflect(desc) : full(desc, depth - 1);
}

/** The last value, and the one before it. */
function enumValue(field: DescField, nth: number): number {
  return field.enum?.values.at(-1 - nth)?.number ?? 0;
}

function scalar(type: ScalarType, text: string): string | number | bigint | boolean | Uint8Array {
  switch (type) {
    case ScalarType.STRING:
      return `${text} é 漢 🙂`;
    case ScalarType.BYTES:
      return Uint8Array.of(0x00, 0xff, 0xfe, 0x80, 0x0a);
    case ScalarType.BOOL:
      return true;
    case ScalarType.INT32:
      return 2_147_483_647;
    case ScalarType.UINT32:
      return 4_294_967_295;
    case ScalarType.FIXED32:
      return 0xcbf43926;
    case ScalarType.INT64:
      return 9_007_199_254_740_993n;
    case ScalarType.UINT64:
      return 18_446_744_073_709_551_615n;
    default:
      throw new Error(`the contract has a field of ${ScalarType[type]} now: give it a value here`);
  }
}

function zeroOf(field: DescField): string | number | bigint | boolean | Uint8Array {
  if (field.fieldKind !== "scalar") throw new Error(`${field.name} is no scalar`);
  const value = scalar(field.scalar, "");
  if (typeof value === "bigint") return 0n;
  if (typeof value === "number") return 0;
  if (typeof value === "boolean") return false;
  return typeof value === "string" ? "" : new Uint8Array(0);
}
