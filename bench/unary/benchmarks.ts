import type { Benchmark } from "../kit/benchmark.ts";
import { percentile } from "../kit/statistics.ts";
import { takeTurns } from "../kit/take-turns.ts";
import { startCallers } from "./callers.ts";
import type { Call } from "./callers.ts";

const timesATurn = { full: 300, quick: 30 };
/** Enough that the machine has come to its pace. */
const timesAtOnce = { full: 2_000, quick: 200 };
const atOnce = 64;

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
      const timings = await takeTurns(
        all,
        { program, times: timesATurn[context.quick ? "quick" : "full"], parallel: false },
        context.rounds,
      );
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
      const times = timesAtOnce[context.quick ? "quick" : "full"];
      const job = { program, times, parallel: true, atOnce };
      const rows = [...(await takeTurns(all, job, context.rounds))].map(([{ role, who }, turns]) => {
        const rates = turns.flatMap((turn) => turn.ms.map((ms) => times / (ms / 1_000)));
        const values = [percentile(rates, 50), percentile(rates, 100), percentile(rates, 0)];
        const target = role === "yonder" ? { ratio: 0.7, stretch: 1 } : undefined;
        return { role, who, command: call, samples: rates.length, values, target };
      });
      const title = `small calls, ${atOnce} at a time`;
      return { title, unit: "1/s", better: "higher", columns: ["p50", "best", "worst"], rows, notes: [] };
    },
  };
}
