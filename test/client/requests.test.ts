import { expect, test } from "vitest";
import { InvalidRequest } from "../../client/src/index.ts";
import { commandLine } from "../../client/src/exec/quote.ts";
import { joinDirectory, toExecRequest } from "../../client/src/exec/to-wire.ts";

const context = { workingDir: undefined, defaults: {} };

test.each([
  [undefined, undefined, ""],
  ["/work", undefined, "/work"],
  ["/work", "app", "/work/app"],
  ["/work/", "app", "/work/app"],
  ["/work", "/elsewhere", "/elsewhere"],
  ["/work", "../up", "/work/../up"],
  ["sub", "app", "sub/app"],
  [undefined, "app", "app"],
  ["/work", "", "/work"],
])("in %j, cwd %j is %j", (workingDir, cwd, directory) => {
  expect(joinDirectory(workingDir, cwd)).toBe(directory);
});

test("each command gets an id of its own before it is sent", () => {
  const ids = new Set(Array.from({ length: 100 }, () => toExecRequest("true", {}, context, 0).execId));
  expect(ids.size).toBe(100);
  expect(toExecRequest("true", { execId: "mine" }, context, 0).execId).toBe("mine");
});

test.each([
  [undefined, 30_000, 30, 0],
  [1_500, 30_000, 1, 500_000_000],
  [0.4, 30_000, 0, 1_000_000],
  [1.2, 30_000, 0, 2_000_000],
])("a timeout of %j ms, by default %j, is sent as %j s and %j ns", (timeoutMs, fallback, seconds, nanos) => {
  expect(toExecRequest("true", { timeoutMs }, context, fallback).timeout).toMatchObject({
    seconds: BigInt(seconds),
    nanos,
  });
});

test.each([0, Infinity])("a timeout of %j is none", (timeoutMs) => {
  expect(toExecRequest("true", { timeoutMs }, context, 30_000)).not.toHaveProperty("timeout");
});

test("no grace at all is not the same as grace without end", () => {
  expect(toExecRequest("true", { disconnectGraceMs: 0 }, context, 0).disconnectGrace).toMatchObject({ seconds: 0n });
  expect(toExecRequest("true", { disconnectGraceMs: Infinity }, context, 0)).not.toHaveProperty("disconnectGrace");
  expect(toExecRequest("true", {}, context, 0)).not.toHaveProperty("disconnectGrace");
});

test("defaults stand under what a call says", () => {
  const defaults = { env: { A: "1", B: "2" }, labels: { team: "x" }, user: "dev", idleTimeoutMs: 1_000 };
  const options = { env: { B: undefined, C: "3" }, labels: { role: "y" } };
  expect(toExecRequest("true", options, { workingDir: undefined, defaults }, 0)).toMatchObject({
    environment: { variables: { A: "1", C: "3" }, unset: ["B"], clean: false },
    labels: { team: "x", role: "y" },
    user: "dev",
    idleTimeout: { seconds: 1n },
  });
});

test.each([
  [{ timeoutMs: -1 }, "timeoutMs"],
  [{ timeoutMs: Number.NaN }, "timeoutMs"],
  [{ idleTimeoutMs: -5 }, "idleTimeoutMs"],
  [{ disconnectGraceMs: -5 }, "disconnectGraceMs"],
  [{ killGraceMs: Number.NaN }, "killGraceMs"],
  [{ outputLimitBytes: 1.5 }, "outputLimitBytes"],
  [{ limits: { memoryBytes: -1 } }, "limits.memoryBytes"],
  [{ terminal: { columns: 1.5 } }, "terminal.columns"],
])("%j is refused before anything is sent", (options, subject) => {
  const attempt = () => toExecRequest("true", options, context, 0);
  expect(attempt).toThrow(InvalidRequest);
  expect(attempt).toThrow(expect.objectContaining({ reason: "INVALID_FIELD", subject }));
});

test.each([Infinity, 60_001, -1])("a grace of %j before SIGKILL is refused with the range", (killGraceMs) => {
  const message = `killGraceMs must be 0 to 60000 milliseconds, got ${killGraceMs}`;
  expect(() => toExecRequest("true", { killGraceMs }, context, 0)).toThrow(message);
  expect(() => toExecRequest("true", {}, { ...context, defaults: { killGraceMs } }, 0)).toThrow(message);
});

test("a list of arguments is told as a shell would read it", () => {
  expect(commandLine(["git", "commit", "-m", "it's $done", ""])).toBe(`git commit -m 'it'\\''s $done' ''`);
  expect(commandLine("a | b")).toBe("a | b");
});
