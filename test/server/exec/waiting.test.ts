import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import type { Exec } from "../../../server/src/exec/exec.ts";
import { Journal } from "../../../server/src/exec/journal/journal.ts";
import { readOutput } from "../../../server/src/exec/read-output.ts";
import { execRecord } from "../../helpers/exec-record.ts";

const place = { directory: tmpdir(), name: "unused", memoryBytes: 1024, keepBytes: 1024 };

// A caller whose own timer is late would take the answer to a call that was given up for that of a wait that is over.
test.each<[string, (exec: Exec, signal: AbortSignal) => Promise<unknown>]>([
  ["the end", (exec, signal) => exec.waitForEnd(60_000, signal)],
  ["output", (exec, signal) => readOutput(exec, { start: {}, maxBytes: 1, stream: undefined, waitMs: 60_000, signal })],
])("a wait for %s that is given up is not answered", async (_, wait) => {
  const exec = execRecord(async () => new Journal(place));
  const call = new AbortController();
  const waits = [wait(exec, call.signal), wait(exec, AbortSignal.abort("before"))];
  const outcomes = Promise.allSettled(waits);
  await waits[1]?.catch(() => {});
  call.abort("meanwhile");
  expect(await outcomes).toEqual([
    { status: "rejected", reason: "meanwhile" },
    { status: "rejected", reason: "before" },
  ]);
});
