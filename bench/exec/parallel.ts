import type { Benchmark } from "../kit/benchmark.ts";
import { describeProgram } from "../kit/program.ts";
import { percentile } from "../kit/statistics.ts";
import { takeTurns } from "../kit/take-turns.ts";
import { startContenders } from "./contenders.ts";

const atOnce = 32;
const program = { args: ["true"] };

/** How many commands a second there are while 32 run at a time. */
export const parallelBenchmark: Benchmark = {
  name: "exec-parallel",
  async run(context) {
    const times = context.quick ? 100 : 1_000;
    const { all, notes } = await startContenders(context, { withLocal: true, reader: "result" });
    // A turn takes seconds: half as many are as telling.
    const rounds = Math.ceil(context.rounds / 2);
    const timings = await takeTurns(all, { program, times, parallel: true, atOnce }, rounds);
    const rows = [...timings].map(([{ role, who }, turns]) => {
      const rates = turns.flatMap((turn) => turn.ms.map((ms) => times / (ms / 1_000)));
      const values = [percentile(rates, 50), percentile(rates, 100), percentile(rates, 0)];
      const target = role === "yonder" ? { ratio: 0.7, stretch: 0.9 } : undefined;
      return { role, who, command: describeProgram(program), samples: rates.length, values, target };
    });
    const title = `${times} commands, ${atOnce} at a time`;
    return { title, unit: "1/s", better: "higher", columns: ["p50", "best", "worst"], rows, notes };
  },
};
