import type { Benchmark, Target } from "../kit/benchmark.ts";
import { describeProgram } from "../kit/program.ts";
import type { Program } from "../kit/program.ts";
import { percentile } from "../kit/statistics.ts";
import { takeTurns } from "../kit/take-turns.ts";
import { startContenders } from "./contenders.ts";

/** How many commands a contender runs in one turn. */
const timesATurn = { full: 50, quick: 5 };

/** How long one small command takes, start to end, one after the other over a connection that stands already. */
export function createLatencyBenchmark(name: string, program: Program, target?: Target): Benchmark {
  return {
    name,
    async run(context) {
      const { all, notes } = await startContenders(context, { withLocal: true, reader: "result" });
      const timings = await takeTurns(
        all,
        { program, times: timesATurn[context.quick ? "quick" : "full"], parallel: false },
        context.rounds,
      );
      const rows = [...timings].map(([{ role, who }, turns]) => {
        const ms = turns.flatMap((turn) => turn.ms);
        return {
          role,
          who,
          command: describeProgram(program),
          samples: ms.length,
          values: [percentile(ms, 50), percentile(ms, 90), percentile(ms, 99)],
          target: role === "yonder" ? target : undefined,
        };
      });
      const title = `one small command after the other, from call to end`;
      return { title, unit: "ms", better: "lower", columns: ["p50", "p90", "p99"], rows, notes };
    },
  };
}
