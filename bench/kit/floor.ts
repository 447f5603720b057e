import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { abortOnSignal } from "./abort-on-signal.ts";
import type { Benchmark, BenchmarkContext } from "./benchmark.ts";
import { startContender } from "./contender.ts";
import type { Contender } from "./contender.ts";
import type { Program } from "./program.ts";
import { formatResult, reported } from "./report.ts";
import { runBenchmark } from "./run-benchmark.ts";
import { serveJobs } from "./serve-jobs.ts";
import { percentile } from "./statistics.ts";
import { startWorker } from "./worker.ts";

/** The least that some work can cost: a client in one process and, where the work has two ends, a server in another. */
export interface Floor {
  /** Starts to listen and answers the port. */
  readonly serve?: (settings: Settings) => Promise<number>;
  /** Connects, and answers what does the work once and says how many bytes it moved. */
  readonly connect: (port: number, settings: Settings) => Promise<(program: Program) => Promise<number>>;
  /**
   * What it does when somebody runs the file by itself, with these words behind its name. What it leaves as `copy` in the
   * directory is removed after each time.
   */
  readonly alone: (words: string[], directory: string) => string[];
}

/** What a benchmark tells a floor; nothing where it runs by itself. */
export type Settings = Readonly<Record<string, string>>;

/** The whole of a floor's program: its server or its client as a benchmark asks, or both and its figure on its own. */
export async function runFloor(floor: Floor): Promise<void> {
  if (process.send === undefined) return await runAlone(floor);
  const { port, settings = {} } = JSON.parse(process.argv[2] ?? "{}") as { port?: number; settings?: Settings };
  if (port !== undefined || floor.serve === undefined) return serveJobs(await floor.connect(port ?? 0, settings));
  process.once("disconnect", () => process.exit());
  process.send({ port: await floor.serve(settings) });
}

/** Listens on a free port of loopback, and answers which. */
export async function listening(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/** A floor that runs, and the process of its server. */
export interface RunningFloor {
  readonly contender: Contender;
  readonly serverPid: number;
}

/** Which floor, and what it is told. */
export interface FloorOptions {
  readonly who: string;
  readonly module: URL;
  readonly settings?: Settings;
  /** Leads its client another way to the port. */
  readonly through?: (port: number) => Promise<number>;
}

/** Starts a floor of two ends. */
export async function startFloor(
  context: BenchmarkContext,
  { who, module, settings, through = async (port) => port }: FloorOptions,
): Promise<RunningFloor> {
  const server = startWorker(context, { module, settings: { settings } });
  const { port } = (await server.receive()) as { port: number };
  const client = { role: "floor", who, module, settings: { settings, port: await through(port) } } as const;
  return { contender: await startContender(context, client), serverPid: server.pid };
}

const timesAlone = 5;

/** Prints milliseconds, and where it moves bytes how many a second. */
async function runAlone(floor: Floor): Promise<void> {
  const module = pathToFileURL(process.argv[1] ?? "");
  const who = basename(module.pathname, ".ts");
  const benchmark: Benchmark = {
    name: who,
    async run(context) {
      const contender =
        floor.serve === undefined
          ? await startContender(context, { role: "floor", who, module })
          : (await startFloor(context, { who, module })).contender;
      const args = floor.alone(process.argv.slice(2), context.directory);
      const job = { program: { args }, times: 1, parallel: false };
      const ms: number[] = [];
      let mib = 0;
      // The first one warms up.
      for (let time = -1; time < timesAlone; time++) {
        const timing = await contender.run(job);
        rmSync(join(context.directory, "copy"), { recursive: true, force: true });
        mib = timing.bytes / 2 ** 20;
        if (time >= 0) ms.push(...timing.ms);
      }
      const isRate = mib >= 1;
      const values = [50, 0, 100]
        .map((percent) => percentile(ms, percent))
        .map((each) => (isRate ? (mib * 1e3) / each : each));
      const shape = isRate
        ? ({ unit: "MiB/s", better: "higher" } as const)
        : ({ unit: "ms", better: "lower" } as const);
      const row = { role: "floor", who, command: args.join(" "), samples: timesAlone, values } as const;
      return { title: "on its own", ...shape, columns: ["p50", "best", "worst"], rows: [row], notes: [] };
    },
  };
  const options = { rounds: 1, quick: false, profileDirectory: undefined };
  const begin = performance.now();
  const result = await runBenchmark(benchmark, options, abortOnSignal());
  console.log(formatResult(reported(who, result, (performance.now() - begin) / 1_000)));
}
