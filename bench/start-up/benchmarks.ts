import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Benchmark, BenchmarkContext, Row } from "../kit/benchmark.ts";
import { ownProcess } from "../kit/own-process.ts";
import { percentile } from "../kit/statistics.ts";
import { stopProcess } from "../kit/stop-process.ts";
import { startYonderServer } from "../kit/yonder-server.ts";
import type { YonderServer } from "../kit/yonder-server.ts";

const listen = `require("http").createServer().listen(0, () => console.log("listening"))`;

/** From the start of the server's process to its ready line, and to the first answered call. */
const startUp: Benchmark = {
  name: "start-up",
  async run(context) {
    const measured: Measured[] = [
      { role: "floor", who: "Node alone, until it ends", command: "node -e 0", ms: [] },
      { role: "floor", who: "a bare HTTP server, until it listens", command: `node -e '${listen}'`, ms: [] },
      { role: "yonder", who: "until the ready line", command: "yonder serve", ms: [] },
      { role: "yonder", who: "until GetInfo is answered", command: "yonder serve", ms: [] },
    ];
    // One round warms up the file cache.
    for (let round = -1; round < context.rounds; round++) {
      const ms = [await nodeAlone(), await bareServer(context), ...(await yonderServe(context))];
      if (round >= 0) measured.forEach((each, index) => each.ms.push(ms[index] ?? Number.NaN));
    }
    const rows = measured.map(({ ms, ...rest }) => {
      return { ...rest, samples: ms.length, values: [percentile(ms, 50), percentile(ms, 90), percentile(ms, 0)] };
    });
    const title = "from the start of the process";
    return { title, unit: "ms", better: "lower", columns: ["p50", "p90", "best"], rows, notes: [] };
  },
};

/** What the server holds when it has answered one call and waits. */
const memoryAtRest: Benchmark = {
  name: "start-memory",
  async run(context) {
    const shape = {
      title: "memory at rest, after one answered call: its own, and all that is resident",
      unit: "MiB",
      better: "lower",
      columns: ["own", "resident"],
    } as const;
    const bare = ownProcess(context, () =>
      spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "ignore"] }),
    );
    await once(bare.stdout, "data");
    const server = await startYonderServer(context);
    await firstAnswer(server);
    const row = (role: Row["role"], who: string, command: string, pid = 0): Row => {
      return { role, who, command, samples: 1, values: memoryMiB(pid) };
    };
    try {
      const rows = [
        row("floor", "a bare HTTP server", "node -e …createServer().listen…", bare.pid),
        row("yonder", "yonder serve", "yonder serve", server.pid),
      ];
      return { ...shape, rows, notes: [] };
    } catch (error) {
      return { ...shape, rows: [], notes: [`left out: this system does not tell memory: ${String(error)}`] };
    }
  },
};

export const benchmarks: Benchmark[] = [startUp, memoryAtRest];

interface Measured extends Pick<Row, "role" | "who" | "command"> {
  readonly ms: number[];
}

async function nodeAlone(): Promise<number> {
  const begin = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - begin;
}

async function bareServer(context: BenchmarkContext): Promise<number> {
  const begin = performance.now();
  const child = ownProcess(context, () =>
    spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "ignore"] }),
  );
  await once(child.stdout, "data");
  const ms = performance.now() - begin;
  await stopProcess(child);
  return ms;
}

async function yonderServe(context: BenchmarkContext): Promise<[readyMs: number, answeredMs: number]> {
  const server = await startYonderServer(context);
  const begin = performance.now();
  await firstAnswer(server);
  const answeredMs = server.readyMs + (performance.now() - begin);
  await server.stop();
  return [server.readyMs, answeredMs];
}

/** By a plain POST, so that no client's own start-up is measured. */
async function firstAnswer({ host, apiKey }: YonderServer): Promise<void> {
  const reply = await fetch(`${host}/yonder.workspace.v1.WorkspaceService/GetInfo`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${apiKey}` },
    body: "{}",
  });
  if (!reply.ok) throw new Error(`GetInfo answered ${reply.status}: ${await reply.text()}`);
  await reply.text();
}

/** What a process has of its own, and all that it has in memory; throws where there is no /proc. */
function memoryMiB(pid: number): [own: number, resident: number] {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kib = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1]);
  return [(kib("Private_Clean") + kib("Private_Dirty")) / 1024, kib("Rss") / 1024];
}
