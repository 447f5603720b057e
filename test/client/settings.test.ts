import { expect, test } from "vitest";
import { defaultRetry } from "../../client/src/connection/retry.ts";
import { readSettings } from "../../client/src/connection/settings.ts";
import { createWorkspace, InvalidRequest } from "../../client/src/index.ts";

const nothingThere = "http://127.0.0.1:1";
const timeouts = ["connectMs", "callMs", "pingIntervalMs", "pingTimeoutMs"].map((name) => ["timeouts", name] as const);
const delays = ["initialDelayMs", "maxDelayMs"].map((name) => ["retry", name] as const);
const noTimes = [Infinity, -Infinity, Number.NaN, -1, 0, 86_400_001, "1000", true];

test.each([...timeouts, ...delays])("%s.%s is refused by name unless it is a time", (group, name) => {
  for (const value of noTimes) {
    const attempt = () => readSettings({ [group]: { [name]: value } });
    expect(attempt).toThrow(InvalidRequest);
    expect(attempt).toThrow(expect.objectContaining({ reason: "INVALID_FIELD", subject: `${group}.${name}` }));
    expect(attempt).toThrow(/^\w+\.\w+ must be 1 to 86400000 milliseconds, got \S+$/);
  }
  expect(readSettings({ [group]: { [name]: 1 } })).toMatchObject({ [group]: { [name]: 1 } });
});

test("retries may be switched off, but are never without end", () => {
  expect(readSettings({ retry: { maxElapsedMs: 0 } }).retry).toEqual({ ...defaultRetry, maxElapsedMs: 0 });
  for (const maxElapsedMs of [Infinity, Number.NaN, -1]) {
    expect(() => readSettings({ retry: { maxElapsedMs } })).toThrow(
      `retry.maxElapsedMs must be 0 to 86400000 milliseconds, got ${maxElapsedMs}`,
    );
  }
});

test.each([
  [{ protocol: "soap" }, "protocol", 'protocol must be "grpc", "connect" or "grpc-web", got "soap"'],
  [{ httpVersion: "3" }, "httpVersion", 'httpVersion must be "2" or "1.1", got "3"'],
  [{ httpVersion: 2 }, "httpVersion", 'httpVersion must be "2" or "1.1", got 2'],
  [
    { protocol: "grpc", httpVersion: "1.1" },
    "httpVersion",
    /^httpVersion must be "2" for protocol "grpc"; over "1.1" /,
  ],
  [{ timeouts: { callMs: Number.NaN } }, "timeouts.callMs", /^timeouts.callMs must be .*, got NaN$/],
])("%j is refused before anything is sent", async (options, subject, message) => {
  const error = await createWorkspace({ host: nothingThere, ...options } as never).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InvalidRequest);
  expect(error).toMatchObject({ reason: "INVALID_FIELD", subject, message: expect.stringMatching(message) });
});

test("what is not said has a default, which is gRPC where it can be", () => {
  expect(readSettings({})).toMatchObject({ protocol: "grpc", httpVersion: "2", retry: defaultRetry });
  expect(readSettings({ httpVersion: "1.1" })).toMatchObject({ protocol: "connect" });
  expect(readSettings({ timeouts: { callMs: undefined } }).timeouts.callMs).toBe(30_000);
});
