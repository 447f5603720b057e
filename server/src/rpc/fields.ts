import type { Duration } from "@bufbuild/protobuf/wkt";
import { FailedPrecondition, InvalidRequest } from "../util/errors.ts";
import { pathBuffer } from "../util/path-text.ts";

const EXEC_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const LONGEST_TOKEN = 128;

/** Refuses a field's value, saying which field and what it may be. */
export function invalidField(field: string, message: string): InvalidRequest {
  return new InvalidRequest("INVALID_FIELD", `${field} ${message}`, { subject: field });
}

export function missingField(field: string, message = "must be set"): InvalidRequest {
  return new InvalidRequest("MISSING_FIELD", `${field} ${message}`, { subject: field });
}

export function execIdField(field: string, id: string): string {
  if (id === "") throw missingField(field);
  if (!EXEC_ID.test(id)) {
    throw invalidField(field, `"${printable(id)}" is not 1 to 128 characters of A-Z, a-z, 0-9, ".", "_", ":" and "-"`);
  }
  return id;
}

/** A reader's or request's id: any text, bounded. */
export function tokenField(field: string, token: string): string {
  if (token.length > LONGEST_TOKEN)
    throw invalidField(field, `has ${token.length} characters; at most ${LONGEST_TOKEN} are taken`);
  return token;
}

export function textField(field: string, text: string): string {
  if (text.includes("\0")) throw invalidField(field, "holds a NUL byte");
  return text;
}

/** A path given as text or as bytes, at most one of the two; undefined where neither is. */
export function pathField(field: string, text: string, bytes: Uint8Array): Buffer | undefined {
  if (text !== "" && bytes.length > 0) throw invalidField(field, `and ${rawTwin(field)} cannot both be set`);
  if (bytes.includes(0)) throw invalidField(rawTwin(field), "holds a NUL byte");
  textField(field, text);
  if (bytes.length > 0) return Buffer.from(bytes);
  return text === "" ? undefined : pathBuffer(text);
}

/** The field beside a path for names that are no UTF-8: "items[0].path" has "items[0].raw_path". */
function rawTwin(field: string): string {
  return field.replace(/[^.]+$/, "raw_$&");
}

export function sizeField(field: string, value: bigint | number, range: { min: number; max: number }): number {
  const size = Number(value);
  if (size >= range.min && size <= range.max) return size;
  throw invalidField(field, `is ${value}; the range is ${range.min} to ${range.max}`);
}

export function cursorField(field: string, value: bigint): number {
  return sizeField(field, value, { min: 0, max: Number.MAX_SAFE_INTEGER });
}

/** A duration in milliseconds; undefined where it is absent. */
export function durationField(
  field: string,
  duration: Duration | undefined,
  range: { minMs: number; maxMs: number },
): number | undefined {
  if (duration === undefined) return undefined;
  const { seconds, nanos } = duration;
  if (Math.abs(nanos) > 999_999_999 || (seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0)) {
    throw invalidField(field, `is no duration: ${seconds} s and ${nanos} ns`);
  }
  const ms = Number(seconds) * 1_000 + nanos / 1_000_000;
  if (ms < 0 || ms > range.maxMs || (ms > 0 && ms < range.minMs)) {
    throw invalidField(field, `is ${ms} ms; the range is ${range.minMs} to ${range.maxMs} ms`);
  }
  return ms;
}

/** How long a unary call waits: what was asked for, cut to the limit. */
export function waitField(field: string, duration: Duration | undefined, maxWaitMs: number): number {
  return Math.min(durationField(field, duration, { minMs: 0, maxMs: Number.MAX_SAFE_INTEGER }) ?? 0, maxWaitMs);
}

export function expectedInstanceField(expected: string, identity: { instanceId: string; workspaceId: string }): void {
  if (expected === "" || expected === identity.instanceId) return;
  throw new FailedPrecondition(
    "INSTANCE_CHANGED",
    `Instance ${identity.instanceId} answers here, not ${printable(expected)}; nothing was done`,
    {
      subject: "expected_instance_id",
      remedy: "The server was started anew, or the address belongs to another one. Look before you act again.",
      instanceId: identity.instanceId,
      workspaceId: identity.workspaceId,
    },
  );
}

function printable(text: string): string {
  const short = text.length > LONGEST_TOKEN ? `${text.slice(0, LONGEST_TOKEN)}…` : text;
  return JSON.stringify(short).slice(1, -1);
}
