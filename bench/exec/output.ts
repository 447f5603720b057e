import type { Benchmark } from "../kit/benchmark.ts";
import { describeProgram } from "../kit/program.ts";
import { percentile } from "../kit/statistics.ts";
import { takeTurns } from "../kit/take-turns.ts";
import { startContenders } from "./contenders.ts";

const mib = 512;
const program = { args: ["head", "-c", String(mib * 2 ** 20), "/dev/zero"] };

/** How fast a command's output reaches the client that reads it, start and end of the command included. */
export const outputBenchmark: Benchmark = {
  name: "exec-output",
  async run(context) {
    const { all, notes } = await startContenders(context, { withLocal: false, reader: "stream" });
    // A turn takes seconds: half as many are as telling.
    const rounds = Math.ceil(context.rounds / 2);
    const timings = await takeTurns(all, { program, times: 1, parallel: false }, rounds);
    const rows = [...timings].map(([{ role, who }, turns]) => {
      for (const { bytes } of turns)
        if (bytes !== mib * 2 ** 20) throw new Error(`${who}: only ${bytes} bytes arrived`);
      const rates = turns.flatMap((turn) => turn.ms.map((ms) => mib / (ms / 1_000)));
      const values = [percentile(rates, 50), percentile(rates, 100), percentile(rates, 0)];
      return { role, who, command: describeProgram(program), samples: rates.length, values };
    });
    const title = `${mib} MiB of output to a client that reads it`;
    return { title, unit: "MiB/s", better: "higher", columns: ["p50", "best", "worst"], rows, notes };
  },
};
