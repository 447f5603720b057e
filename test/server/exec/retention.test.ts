import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Exec } from "../../../server/src/exec/exec.ts";
import { Retention } from "../../../server/src/exec/retention.ts";
import { defaultLimits } from "../../../server/src/util/limits.ts";
import { execRecord } from "../../helpers/exec-record.ts";

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("an ended exec is kept for longer than a timer of Node can wait", () => {
  const expired: Exec[] = [];
  const retention = new Retention({
    limits: { ...defaultLimits, execRetentionMs: 60 * DAY_MS },
    execs: new Map(),
    expire: (exec) => expired.push(exec),
  });
  const setTimer = vi.spyOn(globalThis, "setTimeout");
  const exec = ended();
  retention.ended(exec);

  vi.advanceTimersByTime(59 * DAY_MS);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(DAY_MS);
  expect(expired).toEqual([exec]);
  // What does not fit into 32 bits, Node takes for 1 ms.
  expect(Math.max(...setTimer.mock.calls.map(([, ms = 0]) => ms))).toBeLessThan(2 ** 31);
  retention.close();
});

function ended(): Exec {
  const endTimeMs = Date.now();
  const end = {
    reason: "EXITED",
    startTimeMs: endTimeMs,
    endTimeMs,
    durationMs: 0,
    stdoutBytes: 0,
    stderrBytes: 0,
  } as const;
  return execRecord(() => Promise.reject(new Error("nobody reads it")), end);
}
