import { readFileSync } from "node:fs";
import { Code, ConnectError } from "@connectrpc/connect";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ErrorDetailSchema, ErrorReason } from "@yonder/proto";
import { expect, test, vi } from "vitest";
import { kindByReason, toYonderError } from "../../client/src/connection/error-map.ts";
import * as errors from "../../client/src/errors.ts";
import { codeByReason } from "../../server/src/rpc/error-map.ts";

const { AbortError, Conflict, InstanceChanged, LimitExceeded, NotFound, Unsupported, YonderError } = errors;

const classes: Record<string, unknown> = { ...errors };
const reasons = (Object.keys(ErrorReason) as (keyof typeof ErrorReason)[]).filter((name) => name !== "UNSPECIFIED");

test.each(reasons)("%s has a class, and keeps what the server said of it", (reason) => {
  const code = codeByReason[reason as keyof typeof codeByReason];
  const error = toYonderError(
    statusOf(code, { reason: ErrorReason[reason], subject: "it", remedy: "mend it", retryable: true }),
  );
  expect(error.name).toBe(kindByReason[reason as keyof typeof kindByReason]);
  expect(error).toBeInstanceOf(classes[error.name]);
  expect(error).toMatchObject({ reason, subject: "it", remedy: "mend it", retryable: true, message: "what happened" });
});

test("no reason is of a class that its status contradicts", () => {
  const kinds: Partial<Record<string, Set<Code>>> = {};
  for (const [reason, kind] of Object.entries(kindByReason)) {
    (kinds[kind] ??= new Set()).add(codeByReason[reason as keyof typeof codeByReason]);
  }
  expect(kinds["NotFound"]).toEqual(new Set([Code.NotFound]));
  expect(kinds["AlreadyExists"]).toEqual(new Set([Code.AlreadyExists]));
  expect(kinds["Authentication"]).toEqual(new Set([Code.Unauthenticated]));
  expect(kinds["LimitExceeded"]).toEqual(new Set([Code.ResourceExhausted]));
  expect(kinds["InvalidRequest"]).toEqual(new Set([Code.InvalidArgument]));
});

test("details of their own come along", () => {
  const limit = statusOf(Code.ResourceExhausted, {
    reason: ErrorReason.LIMIT_EXCEEDED,
    limit: { name: "max_running_execs", value: 256n },
    retryDelay: durationFromMs(1_500),
  });
  expect(toYonderError(limit)).toMatchObject({ limit: { name: "max_running_execs", value: 256 }, retryDelayMs: 1_500 });
  expect(LimitExceeded.is(toYonderError(limit))).toBe(true);

  const gap = statusOf(Code.FailedPrecondition, { reason: ErrorReason.STDIN_OFFSET_GAP, expectedOffset: 17n });
  expect(toYonderError(gap)).toMatchObject({ expectedOffset: 17 });
  expect(Conflict.is(toYonderError(gap))).toBe(true);

  const other = statusOf(Code.FailedPrecondition, {
    reason: ErrorReason.INSTANCE_CHANGED,
    workspaceId: "w",
    instanceId: "i",
  });
  expect(toYonderError(other)).toMatchObject({ workspaceId: "w", instanceId: "i" });
  expect(InstanceChanged.is(toYonderError(other))).toBe(true);

  const field = statusOf(Code.InvalidArgument, { reason: ErrorReason.UNKNOWN_FIELD, subject: "newOption" });
  expect(toYonderError(field, "1.2.3")).toMatchObject({ feature: "newOption", serverVersion: "1.2.3" });
  expect(Unsupported.is(toYonderError(field))).toBe(true);
});

test("without a detail, or with one that is not known, the status decides", () => {
  expect(toYonderError(new ConnectError("no", Code.PermissionDenied))).toMatchObject({
    reason: "UNKNOWN",
    name: "PermissionDenied",
  });
  expect(toYonderError(new ConnectError("no", Code.Unimplemented))).toMatchObject({
    reason: "UNKNOWN",
    name: "Unsupported",
  });
  expect(toYonderError(statusOf(Code.NotFound, { reason: 9_999 }))).toMatchObject({
    reason: "UNKNOWN",
    name: "NotFound",
  });
  expect(toYonderError(new Error("plain"))).toMatchObject({ reason: "UNKNOWN", name: "ServerError", message: "plain" });
});

test("an error of another copy of the package is known", async () => {
  vi.resetModules();
  const copy = await import("../../client/src/errors.ts");
  const error = new copy.NotFound("gone", { reason: "EXEC_EXPIRED" });
  expect(error).not.toBeInstanceOf(NotFound);
  expect(NotFound.is(error)).toBe(true);
  expect(YonderError.is(error)).toBe(true);
  expect(Conflict.is(error)).toBe(false);
});

test("what is no error of ours is not taken for one", () => {
  for (const value of [undefined, null, "text", {}, new Error("plain"), new ConnectError("no")]) {
    expect(YonderError.is(value)).toBe(false);
  }
});

test("an abort has the name that everybody looks for", () => {
  const error = new AbortError("aborted", { cause: "why" });
  expect(error.name).toBe("AbortError");
  expect(error.cause).toBe("why");
  expect(YonderError.is(error)).toBe(true);
});

function statusOf(code: Code, value: Record<string, unknown>): ConnectError {
  return new ConnectError("what happened", code, undefined, [{ desc: ErrorDetailSchema, value }]);
}

test("docs/errors.md has each reason that only the client has, with a cause and a remedy", () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  const [, union = ""] = /export type ErrorReason =([^;]+);/.exec(read("../../client/src/errors.ts")) ?? [];
  const own = [...union.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, reason = ""]) => reason);
  const section = read("../../docs/errors.md").split(/^## Only the client's$/m)[1] ?? "";
  const documented = [...section.matchAll(/^\| `([A-Z_]+)` +\| +[^| ][^|]*\| +[^| ][^|]*\|$/gm)].map(
    ([, reason = ""]) => reason,
  );
  expect(own).toContain("WORKSPACE_NOT_FOUND");
  // STORAGE_FULL and the like are the contract's.
  expect(documented.filter((reason) => !reasons.includes(reason as never)).toSorted()).toEqual(own.toSorted());
});
