import type { Benchmark } from "../kit/benchmark.ts";
import { startCallers } from "../unary/callers.ts";
import { runSweep } from "./sweep.ts";

/** How long a small call takes, by how many are under way at a time. */
export const concurrencyBenchmark: Benchmark = {
  name: "sweep-concurrency",
  async run(context) {
    const times = context.quick ? 128 : 1_000;
    const { all, program } = await startCallers(context, "Stat");
    const rows = await runSweep({
      lines: all.map((contender) => ({ contender, job: (atOnce) => ({ program, times, parallel: true, atOnce }) })),
      xs: [1, 2, 4, 8, 16, 32, 64, 128],
      rounds: Math.ceil(context.rounds / 3),
      label: (atOnce) => `${atOnce} at a time`,
      // Each of them was always under way: together they took so many times what one took.
      figure: ({ ms }, atOnce) => ((ms[0] ?? 0) * atOnce) / times,
    });
    return {
      title: "a small call (Stat), from call to answer, by how many are under way",
      unit: "ms",
      better: "lower",
      columns: ["mean"],
      rows,
      notes: ["mean: of all calls of a turn; the median of the turns"],
      plot: { x: "calls under way at a time", y: "ms" },
    };
  },
};
