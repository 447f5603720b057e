import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { followOutput } from "../helpers/follow-output.ts";
import { nodeArguments, serve } from "../helpers/serve.ts";
import { connect } from "../helpers/workspaces.ts";

const MIB = 2 ** 20;
const hugeBytes = 2 ** 31;
/** Two gigabytes without a newline, with a beginning and an end of its own. */
const huge = `printf begin-of-it-all; head -c ${hugeBytes - 32} /dev/zero | tr '\\0' x; printf and-the-end-of-it`;
const flags = ["--max-journal-bytes=128MiB"];
/** What whoever held an eighth of it would be over; garbage that waits for its collection is below it. */
const mostMemoryGrowth = hugeBytes / 8;

test("a command whose 2 GB nobody reads is not held up, and waiting for it ends", async () => {
  const server = await serve({ flags });
  const workspace = await connect({ host: server.url });
  const before = server.peakMemory();
  const handle = await workspace.spawn(huge);
  expect(await handle.wait()).toMatchObject({ reason: "EXITED", exitCode: 0, stdoutBytes: hugeBytes });
  expect(server.peakMemory() - before).toBeLessThan(mostMemoryGrowth);
  // The newest bytes are kept; of the others it is told how many there were.
  expect((await handle.output({ tail: 17 })).text).toBe("and-the-end-of-it");
  const { lost, bytes } = await followOutput(handle.events());
  expect(lost).toHaveLength(1);
  expect((lost[0]?.stdoutBytes ?? 0) + bytes).toBe(hugeBytes);
  expect(bytes).toBeGreaterThan(100 * MIB);
});

test("2 GB without a newline go past a server and a client whose memory stays flat", async () => {
  const server = await serve({ flags });
  const workspace = await connect({ host: server.url });
  await workspace.executeCommand("true");
  const before = server.peakMemory();
  const kept = 4 * MIB;
  const report = await captureOutput(server.url, huge, kept);
  expect(report).toMatchObject({
    exitCode: 0,
    reason: "EXITED",
    head: "begin-of-it-allxxxxx",
    tail: "xxxand-the-end-of-it",
    length: kept,
    truncated: { stdout: hugeBytes - kept, stderr: 0 },
  });
  expect(server.peakMemory() - before).toBeLessThan(mostMemoryGrowth);
  expect(report.peakMemory).toBeLessThan(process.memoryUsage.rss() + mostMemoryGrowth);
});

interface Report {
  readonly peakMemory: number;
}

async function captureOutput(host: string, command: string, maxOutputBytes: number): Promise<Report> {
  const program = fileURLToPath(new URL("../fixtures/capture-output.mjs", import.meta.url));
  const args = [...nodeArguments, program, host, command, String(maxOutputBytes)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Report;
}
