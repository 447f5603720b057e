import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark, BenchmarkContext } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import type { Contender } from "../kit/contender.ts";
import { percentile } from "../kit/statistics.ts";
import { takeTurns } from "../kit/take-turns.ts";
import { startWorker } from "../kit/worker.ts";
import { startYonderServer } from "../kit/yonder-server.ts";

const timesATurn = 300;
const timesAtOnce = 2_000;
const atOnce = 64;

type Call = "GetInfo" | "Stat";

export const benchmarks: Benchmark[] = [
  createSequential("unary-info", "GetInfo"),
  createSequential("unary-stat", "Stat"),
  createParallel("unary-info-64", "GetInfo"),
  createParallel("unary-stat-64", "Stat"),
];

/** How long a small call takes, one after the other over a connection that stands. */
function createSequential(name: string, call: Call): Benchmark {
  return {
    name,
    async run(context) {
      const { all, program } = await startCallers(context, call);
      const timings = await takeTurns(all, { program, times: timesATurn, parallel: false }, context.rounds);
      const rows = [...timings].map(([{ role, who }, turns]) => {
        const ms = turns.flatMap((turn) => turn.ms);
        const values = [percentile(ms, 50), percentile(ms, 90), percentile(ms, 99)];
        const target = role === "yonder" ? { ratio: 1.3, stretch: 1 } : undefined;
        return { role, who, command: call, samples: ms.length, values, target };
      });
      const title = "one small call after the other";
      return { title, unit: "ms", better: "lower", columns: ["p50", "p90", "p99"], rows, notes: [] };
    },
  };
}

/** How many there are a second while 64 are under way. */
function createParallel(name: string, call: Call): Benchmark {
  return {
    name,
    async run(context) {
      const { all, program } = await startCallers(context, call);
      const job = { program, times: timesAtOnce, parallel: true, atOnce };
      const rows = [...(await takeTurns(all, job, context.rounds))].map(([{ role, who }, turns]) => {
        const rates = turns.flatMap((turn) => turn.ms.map((ms) => timesAtOnce / (ms / 1_000)));
        const values = [percentile(rates, 50), percentile(rates, 100), percentile(rates, 0)];
        const target = role === "yonder" ? { ratio: 0.7, stretch: 1 } : undefined;
        return { role, who, command: call, samples: rates.length, values, target };
      });
      const title = `small calls, ${atOnce} at a time`;
      return { title, unit: "1/s", better: "higher", columns: ["p50", "best", "worst"], rows, notes: [] };
    },
  };
}

async function startCallers(
  context: BenchmarkContext,
  call: Call,
): Promise<{ readonly all: Contender[]; readonly program: { readonly args: string[] } }> {
  const { host, apiKey, workingDirectory } = await startYonderServer(context);
  const path = join(workingDirectory, "file");
  writeFileSync(path, "some text\n");
  const info = await answerOfGetInfo(host, apiKey);
  const floor = startWorker(context, {
    module: new URL("../floors/unary-server.ts", import.meta.url),
    settings: { info },
  });
  const { port } = (await floor.receive()) as { port: number };
  const stockClient = new URL("../clients/unary-grpc-js-client.ts", import.meta.url);
  const all = [
    await startContender(context, {
      role: "floor",
      who: "@grpc/grpc-js on both ends",
      module: stockClient,
      settings: { host: `http://127.0.0.1:${port}` },
    }),
    await startContender(context, {
      role: "yonder",
      who: "TypeScript client, gRPC",
      module: new URL("../clients/unary-yonder-client.ts", import.meta.url),
      settings: { host, apiKey },
    }),
    await startContender(context, {
      role: "yonder",
      who: "stock grpc-js client",
      module: stockClient,
      settings: { host, apiKey },
    }),
  ];
  return { all, program: { args: call === "Stat" ? [call, path] : [call] } };
}

/** In base64, for the floor to answer the same. */
async function answerOfGetInfo(host: string, apiKey: string): Promise<string> {
  const reply = await fetch(`${host}/yonder.workspace.v1.WorkspaceService/GetInfo`, {
    method: "POST",
    headers: { "content-type": "application/proto", authorization: `Bearer ${apiKey}` },
    body: new Uint8Array(),
  });
  if (!reply.ok) throw new Error(`GetInfo answered ${reply.status}: ${await reply.text()}`);
  return Buffer.from(await reply.arrayBuffer()).toString("base64");
}
