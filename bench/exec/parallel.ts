import type { Benchmark } from "../kit/benchmark.ts";
import { describeProgram } from "../kit/program.ts";
import { percentile } from "../kit/statistics.ts";
import { takeTurns } from "../kit/take-turns.ts";
import { startContenders } from "./contenders.ts";

const atOnce = 100;
const program = { args: ["true"] };

/** How long 100 commands take that are all called for at once, until the last has ended. */
export const parallelBenchmark: Benchmark = {
  name: "exec-parallel",
  async run(context) {
    const { all, notes } = await startContenders(context, { withLocal: true, reader: "result" });
    const timings = await takeTurns(all, { program, times: atOnce, parallel: true }, context.rounds);
    const rows = [...timings].map(([{ role, who }, turns]) => {
      const ms = turns.flatMap((turn) => turn.ms);
      const values = [percentile(ms, 50), percentile(ms, 0), percentile(ms, 100)];
      return { role, who, command: describeProgram(program), samples: ms.length, values };
    });
    const title = `${atOnce} commands at once, until the last has ended`;
    return { title, unit: "ms", better: "lower", columns: ["p50", "best", "worst"], rows, notes };
  },
};
