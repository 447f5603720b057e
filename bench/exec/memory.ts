import type { Benchmark, BenchmarkContext, Row } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import { peakMemoryMiB } from "../kit/peak-memory.ts";
import { describeProgram } from "../kit/program.ts";
import { startYonderServer } from "../kit/yonder-server.ts";
import { startHttp2Floor } from "./contenders.ts";

const gib = 2;
const program = { args: ["head", "-c", String(gib * 2 ** 30), "/dev/zero"] };
const command = describeProgram(program);

/** The most memory that the server ever held while a command printed 2 GiB; each figure is a server of its own. */
export const memoryBenchmark: Benchmark = {
  name: "exec-memory",
  async run(context) {
    const title = `the server's peak memory (VmHWM) over ${gib} GiB of output`;
    const shape = { title, unit: "MiB", better: "lower", columns: ["peak"] } as const;
    if (context.quick) return { ...shape, rows: [], notes: ["skipped: what it measures takes a minute"] };
    if (peakMemoryMiB(process.pid) === undefined) {
      return { ...shape, rows: [], notes: ["skipped: this system has no /proc to read VmHWM from"] };
    }
    const rows = [
      await floorRow(context),
      await idleRow(context),
      await yonderRow(context, "stream", "a reader that keeps up"),
      await yonderRow(context, "unread", "no reader"),
      await yonderRow(context, "slow", "a reader at 8 MiB/s for 15 s, then in full"),
    ];
    return { ...shape, rows, notes: [] };
  },
};

async function floorRow(context: BenchmarkContext): Promise<Row> {
  const { contender, serverPid } = await startHttp2Floor(context, "output");
  await contender.run({ program, times: 1, parallel: false });
  return row("floor", `${contender.who}, a reader that keeps up`, serverPid);
}

async function idleRow(context: BenchmarkContext): Promise<Row> {
  const server = await startYonderServer(context);
  const idle = row("yonder", "just started", server.pid);
  await server.stop();
  return { ...idle, command: "nothing" };
}

async function yonderRow(context: BenchmarkContext, reader: string, who: string): Promise<Row> {
  const server = await startYonderServer(context);
  const client = await startContender(context, {
    role: "yonder",
    who,
    module: new URL("../clients/yonder-client.ts", import.meta.url),
    settings: { host: server.host, apiKey: server.apiKey, reader },
  });
  const { bytes } = await client.run({ program, times: 1, parallel: false });
  if (bytes !== gib * 2 ** 30) throw new Error(`${who}: ${bytes} bytes instead of ${gib} GiB`);
  const figure = row("yonder", who, server.pid);
  // Its journal takes disk space that the next one needs.
  await server.stop();
  return figure;
}

function row(role: Row["role"], who: string, pid: number): Row {
  return { role, who, command, samples: 1, values: [peakMemoryMiB(pid) ?? Number.NaN] };
}
