import { isMessage } from "@bufbuild/protobuf";
import type { DescField, DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { InvalidRequest } from "../util/errors.ts";
import { interceptStream } from "./intercept-stream.ts";
import { isActing } from "./is-acting.ts";

/**
 * Refuses an acting request in binary that has a field this server does not know, at any depth: a new safety option must
 * not vanish in an old server. JSON does not reach an interceptor with its unknown keys; `findUnknownKey` is for that.
 */
export const refuseUnknownFields: Interceptor = (next) => async (request) => {
  if (!isActing(request.method)) return await next(request);
  if (!request.stream) {
    refuse(request.method.input, request.message);
    return await next(request);
  }
  const message = interceptStream<Message>(request.message as AsyncIterable<Message>, async (iterator) => {
    const result = await iterator.next();
    if (result.done !== true) refuse(request.method.input, result.value);
    return result;
  });
  return await next({ ...request, message: message as typeof request.message });
};

/** The path of the first key that the message does not have, as "terminal.colour", or undefined. */
export function findUnknownKey(desc: DescMessage, json: JsonValue): string | undefined {
  // Well-known types have a JSON form of their own, which their parser checks.
  if (desc.typeName.startsWith("google.protobuf.") || !isObject(json)) return undefined;
  for (const [key, value] of Object.entries(json)) {
    const field = desc.fields.find(({ name, jsonName }) => key === jsonName || key === name);
    if (field === undefined) return key;
    const inner = findInField(field, value);
    if (inner !== undefined) return `${key}.${inner}`;
  }
  return undefined;
}

/** The error for a field that a request must not have. */
export function unknownField(desc: DescMessage, subject: string): InvalidRequest {
  return new InvalidRequest("UNKNOWN_FIELD", `This server does not know the field ${subject} of ${desc.typeName}`, {
    subject,
    remedy: "Leave it out, or ask a server that has it; GetInfo tells a server's version.",
  });
}

function refuse(desc: DescMessage, message: Message): void {
  const found = findUnknownField(desc, message);
  if (found !== undefined) throw unknownField(desc, found);
}

/** The first unknown field, as its message's name and its number: "yonder.workspace.v1.Terminal:9". */
function findUnknownField(desc: DescMessage, message: Message): string | undefined {
  const unknown = message.$unknown?.[0];
  if (unknown !== undefined) return `${desc.typeName}:${unknown.no}`;
  for (const field of desc.fields) {
    const inner = innerMessage(field);
    if (inner === undefined) continue;
    for (const value of messagesOf(field, message)) {
      const found = findUnknownField(inner, value);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function innerMessage(field: DescField): DescMessage | undefined {
  return field.fieldKind === "message" || field.fieldKind === "list" || field.fieldKind === "map"
    ? field.message
    : undefined;
}

function messagesOf(field: DescField, message: Message): Message[] {
  const values = message as unknown as Record<string, unknown>;
  if (field.oneof !== undefined) {
    const selected = values[field.oneof.localName] as { case?: string; value?: unknown };
    return selected.case === field.localName && isMessage(selected.value) ? [selected.value] : [];
  }
  const value = values[field.localName];
  if (field.fieldKind === "message") return isMessage(value) ? [value] : [];
  // A list, or a map's values.
  return Object.values(value ?? {}).filter((item): item is Message => isMessage(item));
}

function findInField(field: DescField, value: JsonValue): string | undefined {
  const inner = innerMessage(field);
  if (inner === undefined) return undefined;
  if (field.fieldKind === "message") return findUnknownKey(inner, value);
  if (value === null || typeof value !== "object") return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = findUnknownKey(inner, item);
    if (found !== undefined) return `${key}.${found}`;
  }
  return undefined;
}

function isObject(json: JsonValue): json is { [key: string]: JsonValue } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
