import { setTimeout as sleep } from "node:timers/promises";
import { RemoteWorkspace } from "@yonder/client";
import type { Benchmark, BenchmarkContext, Row } from "../kit/benchmark.ts";
import { liveMemoryFlags, liveMemoryKiB } from "../kit/live-memory.ts";
import { cpuMs } from "../kit/cpu-time.ts";
import { startWorker } from "../kit/worker.ts";
import { startYonderServer } from "../kit/yonder-server.ts";

/** They pay for the code that all use. */
const readersBefore = 10;

/** How many there are, and how long they are watched. */
const amounts = {
  // Long enough for two heartbeats to each; what the look at its memory left the process to do is over by `settleMs`.
  full: { readers: 500, watchMs: 20_000, settleMs: 5_000 },
  quick: { readers: 50, watchMs: 500, settleMs: 0 },
};

/** What readers cost that are attached to a silent command. */
const idleReaders: Benchmark = {
  name: "idle-readers",
  async run(context) {
    const { readers } = amounts[context.quick ? "quick" : "full"];
    const title = `${readers} readers attached to a silent command: live memory each, and % of a core for all`;
    const shape = { title, unit: "", better: "lower", columns: ["KiB each", "% CPU"] } as const;
    if (cpuMs(process.pid) === undefined) {
      return { ...shape, rows: [], notes: ["skipped: this system has no /proc to read times from"] };
    }
    return {
      ...shape,
      rows: [await floorRow(context), { ...(await yonderRow(context)), target: { values: [64, 1] } }],
      notes: [],
    };
  },
};

export const benchmarks: Benchmark[] = [idleReaders];

async function floorRow(context: BenchmarkContext): Promise<Row> {
  const server = startWorker(context, {
    module: new URL("../floors/idle-server.ts", import.meta.url),
    nodeFlags: liveMemoryFlags(context.directory),
  });
  const { port } = (await server.receive()) as { port: number };
  const host = `http://127.0.0.1:${port}`;
  return await measure(context, "floor", "an empty stock handler (Connect)", server.pid, { host, execId: "any" });
}

async function yonderRow(context: BenchmarkContext): Promise<Row> {
  const { host, apiKey, pid } = await startYonderServer(context, { nodeFlags: liveMemoryFlags(context.directory) });
  const workspace = await RemoteWorkspace.connect({ host, apiKey });
  context.scope.defer(() => workspace.close());
  const { execId } = await workspace.spawn(["sleep", "600"], { stdin: false });
  return await measure(context, "yonder", "yonder serve", pid, { host, apiKey, execId });
}

async function measure(
  context: BenchmarkContext,
  role: Row["role"],
  who: string,
  pid: number,
  settings: object,
): Promise<Row> {
  const { readers, watchMs, settleMs } = amounts[context.quick ? "quick" : "full"];
  const module = new URL("../clients/attach-client.ts", import.meta.url);
  await startWorker(context, { module, settings: { ...settings, readers: readersBefore } }).receive();
  const before = await liveMemoryKiB(pid, context.directory);
  await startWorker(context, { module, settings: { ...settings, readers } }).receive();
  const kibEach = ((await liveMemoryKiB(pid, context.directory)) - before) / readers;
  await sleep(settleMs);
  const cpuBefore = cpuMs(pid) ?? Number.NaN;
  await sleep(watchMs);
  const percent = (100 * ((cpuMs(pid) ?? Number.NaN) - cpuBefore)) / watchMs;
  return { role, who, command: "Attach", samples: readers, values: [kibEach, percent] };
}
