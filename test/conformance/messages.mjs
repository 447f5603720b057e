// What both programs need of the suite's own protocol: messages with their length before them, headers and errors.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";

/** The code that scripts/conformance.mjs generates from the suite's protos. */
const generated = process.env.CONFORMANCE_GEN;
const load = (name) => import(`${generated}/connectrpc/conformance/v1/${name}_pb.ts`);
export const [service, config, clientCompat, serverCompat] = await Promise.all(
  ["service", "config", "client_compat", "server_compat"].map(load),
);

/** The messages on stdin, until it ends. */
export async function* readMessages(schema) {
  let bytes = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
      const end = 4 + bytes.readUInt32BE(0);
      yield fromBinary(schema, bytes.subarray(4, end));
      bytes = bytes.subarray(end);
    }
  }
}

export function writeMessage(schema, message) {
  const bytes = toBinary(schema, message);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  process.stdout.write(Buffer.concat([head, bytes]));
}

/** Web headers as the suite has them. */
export function toProtoHeaders(headers) {
  return [...headers].map(([name, value]) => create(service.HeaderSchema, { name, value: value.split(", ") }));
}

export function addHeaders(target, headers) {
  for (const { name, value } of headers) for (const each of value) target.append(name, each);
}

export function toConnectError({ code, message, details }) {
  const error = new ConnectError(message ?? "", code);
  error.details = details.map(({ typeUrl, value }) => ({ type: typeUrl.split("/").at(-1), value }));
  return error;
}

export function toProtoError(reason) {
  const { code, rawMessage, details } = ConnectError.from(reason);
  return create(service.ErrorSchema, {
    code,
    message: rawMessage,
    details: details.map(({ type, value }) => ({ typeUrl: `type.googleapis.com/${type}`, value })),
  });
}

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
