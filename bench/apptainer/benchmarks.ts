import { spawn } from "node:child_process";
import { once } from "node:events";
import { ApptainerWorkspace } from "@yonder/client/apptainer";
import type { Benchmark, BenchmarkContext, Result, Row } from "../kit/benchmark.ts";
import { percentile } from "../kit/statistics.ts";

/** A SIF file, or a directory with a root file system, that has a glibc. */
const sifFile = process.env["YONDER_BENCH_SIF"] ?? "";
const program = process.env["YONDER_BENCH_APPTAINER"] ?? "apptainer";
const options = { sifFile, program, bindServer: true };

/** From nothing to the result of a first command. */
const start: Benchmark = {
  name: "apptainer-start",
  run: (context) =>
    measured(context, "from nothing to the result of a first command", [
      { role: "floor", who: "apptainer exec, to its end", command: "apptainer exec IMAGE true", run: plainExec },
      {
        role: "yonder",
        who: "ApptainerWorkspace",
        command: "ApptainerWorkspace.start, then true",
        async run() {
          const begin = performance.now();
          await using workspace = await ApptainerWorkspace.start(options);
          await workspace.executeCommand(["true"], { check: true });
          return performance.now() - begin;
        },
      },
    ]),
};

/** One command in an instance that runs. */
const exec: Benchmark = {
  name: "apptainer-exec",
  async run(context) {
    if (sifFile === "") return await measured(context, "true in an instance that runs", []);
    const workspace = context.scope.use(await ApptainerWorkspace.start(options));
    return await measured(context, "true in an instance that runs", [
      {
        role: "floor",
        who: "apptainer exec",
        command: "apptainer exec instance://NAME true",
        run: () => timed(() => apptainer("exec", `instance://${workspace.name}`, "true")),
      },
      {
        role: "yonder",
        who: "executeCommand",
        command: 'executeCommand(["true"])',
        run: () => timed(() => workspace.executeCommand(["true"], { check: true })),
      },
    ]);
  },
};

export const benchmarks: Benchmark[] = [start, exec];

interface Turn extends Pick<Row, "role" | "who" | "command"> {
  /** Answers how many milliseconds it took. */
  readonly run: () => Promise<number>;
}

/** They take turns, after one round that fills the file cache. */
async function measured(context: BenchmarkContext, title: string, turns: readonly Turn[]): Promise<Result> {
  const table = { title, unit: "ms", better: "lower", columns: ["p50", "p90", "best"] } as const;
  if (sifFile === "") return { ...table, rows: [], notes: ["left out: YONDER_BENCH_SIF names no image"] };
  const taken = turns.map((turn) => ({ ...turn, ms: [] as number[] }));
  for (let round = -1; round < context.rounds; round++) {
    for (const { run, ms } of taken) {
      const each = await run();
      if (round >= 0) ms.push(each);
    }
  }
  const rows = taken.map(({ run: _run, ms, ...row }) => {
    return { ...row, samples: ms.length, values: [percentile(ms, 50), percentile(ms, 90), percentile(ms, 0)] };
  });
  return { ...table, rows, notes: [] };
}

async function plainExec(): Promise<number> {
  return await timed(() => apptainer("exec", sifFile, "true"));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function apptainer(...args: string[]): Promise<void> {
  const [code] = (await once(spawn(program, args, { stdio: "ignore" }), "exit")) as [number | null];
  if (code !== 0) throw new Error(`apptainer ${args.join(" ")} ended with ${code}`);
}
