// Checks the test vectors with protobufjs, which is what the stock loader reads and writes messages with.
import protobuf from "protobufjs";
import { isDeepStrictEqual } from "node:util";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const protos = join(import.meta.dirname, "../../proto");
const contract = new protobuf.Root();
contract.resolvePath = (origin, target) =>
  target.startsWith("yonder/") ? join(protos, target) : protobuf.util.path.resolve(origin, target);
contract.loadSync(readdirSync(join(protos, "yonder/workspace/v1")).map((name) => `yonder/workspace/v1/${name}`));

/** What protobufjs reads otherwise: it keeps both arms of a oneof, and the last one of two pieces. No stub sends such. */
const unlike = new Set([
  "ExecRequest: a oneof set twice, the last arm counts",
  "ExecRequest: a nested message in two pieces",
]);

const all = JSON.parse(readFileSync(process.argv[2], "utf8"));
const vectors = all.filter(({ name }) => !unlike.has(name));
for (const { name, message, wire, json, roundTrips } of vectors) {
  const type = contract.lookupType(message);
  const bytes = Buffer.from(wire, "hex");
  const decoded = type.decode(bytes);
  const meaning = jsonOf(type, type.toObject(decoded, { longs: String, enums: String, bytes: String }));
  if (!isDeepStrictEqual(meaning, json)) throw new Error(`${name}: means ${JSON.stringify(meaning)}`);
  const again = Buffer.from(type.encode(decoded).finish());
  if (roundTrips && !again.equals(bytes)) throw new Error(`${name}: is written as ${again.toString("hex")}`);
}
console.log(`${vectors.length} vectors checked, ${unlike.size} passed over`);

/** protobufjs's plain object as protobuf's own JSON: no fields at their default, names and times as JSON has them. */
function jsonOf(type, object) {
  if (type.fullName === ".google.protobuf.Timestamp") return timestamp(object);
  if (type.fullName === ".google.protobuf.Duration") return duration(object);
  const fields = Object.entries(object).flatMap(([name, value]) => {
    const field = type.fields[name].resolve();
    // What a reader took off the wire is an own property even where it is the default; JSON leaves that out.
    const hasPresence = field.partOf !== null || field.resolvedType instanceof protobuf.Type;
    if (!hasPresence && !field.repeated && !field.map && isDefault(field, value)) return [];
    if ((field.repeated || field.map) && Object.keys(value).length === 0) return [];
    const nested = field.resolvedType instanceof protobuf.Type;
    const one = (item) => (nested ? jsonOf(field.resolvedType, item) : item);
    return [[name, field.repeated ? value.map(one) : one(value)]];
  });
  return Object.fromEntries(fields);
}

function isDefault(field, value) {
  if (field.resolvedType instanceof protobuf.Enum) return field.resolvedType.values[value] === 0;
  return value === "" || value === false || value === 0 || value === "0";
}

function timestamp({ seconds = "0", nanos = 0 }) {
  return new Date(Number(seconds) * 1000).toISOString().replace(/\.000Z$/, `${fraction(nanos)}Z`);
}

function duration({ seconds = "0", nanos = 0 }) {
  const sign = Number(seconds) < 0 || nanos < 0 ? "-" : "";
  return `${sign}${seconds.replace("-", "")}${fraction(Math.abs(nanos))}s`;
}

/** In 0, 3, 6 or 9 digits, as protobuf's JSON has them. */
function fraction(nanos) {
  if (nanos === 0) return "";
  return `.${String(nanos)
    .padStart(9, "0")
    .replace(/(000){1,2}$/, "")}`;
}
