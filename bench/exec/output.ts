import type { Benchmark, Row } from "../kit/benchmark.ts";
import { cpuMs } from "../kit/cpu-time.ts";
import { describeProgram } from "../kit/program.ts";
import { percentile } from "../kit/statistics.ts";
import { takeTurns } from "../kit/take-turns.ts";
import { startContenders } from "./contenders.ts";

/** More than any cache or buffer on the way hides; little where nobody reads the figures. */
const fullMib = 2048;
const quickMib = 128;

/** How fast a command's output reaches the client that reads it, start and end of the command included. */
export const outputBenchmark: Benchmark = {
  name: "exec-output",
  async run(context) {
    const mib = context.quick ? quickMib : fullMib;
    const program = { args: ["head", "-c", String(mib * 2 ** 20), "/dev/zero"] };
    const options = { withLocal: false, reader: "stream", floor: "output" } as const;
    const { all, notes, servers } = await startContenders(context, options);
    const cpu = new Map(all.map((contender): [object, number[]] => [contender, []]));
    const counted = all.map((contender) => ({
      ...contender,
      async run(job: Parameters<typeof contender.run>[0]) {
        const pids = [contender.pid, servers.get(contender)];
        const before = cpuSeconds(pids);
        const timing = await contender.run(job);
        if (timing.bytes !== mib * 2 ** 20) throw new Error(`${contender.who}: only ${timing.bytes} bytes arrived`);
        cpu.get(contender)?.push(((cpuSeconds(pids) - before) * 1024) / mib);
        return timing;
      },
    }));
    // A turn takes seconds: fewer are as telling.
    const timings = await takeTurns(counted, { program, times: 1, parallel: false }, Math.ceil(context.rounds / 2));
    const rows = counted.map((contender, index): Row => {
      const rates = (timings.get(contender) ?? []).flatMap(({ ms }) => ms.map((each) => mib / (each / 1_000)));
      // The first turn warmed up.
      const seconds = percentile(cpu.get(all[index] ?? contender)?.slice(1) ?? [], 50);
      const values = [percentile(rates, 50), percentile(rates, 100), percentile(rates, 0), seconds];
      return {
        role: contender.role,
        who: contender.who,
        command: describeProgram(program),
        samples: rates.length,
        values,
        target: contender.role === "yonder" ? { ratio: 0.7 } : undefined,
      };
    });
    const title = `${mib} MiB of output to a client that reads it`;
    const columns = ["p50", "best", "worst", "CPU s"];
    return { title, unit: "MiB/s", better: "higher", columns, rows, notes: [...notes, cpuNote] };
  },
};

const cpuNote = "CPU s: seconds of processor time of client and server together, a GiB; steadier than the rates";

/** NaN where one of them cannot be counted: the servers of peers are not ours. */
function cpuSeconds(pids: readonly (number | undefined)[]): number {
  return (
    pids.reduce<number>((sum, pid) => sum + ((pid === undefined ? undefined : cpuMs(pid)) ?? Number.NaN), 0) / 1_000
  );
}
