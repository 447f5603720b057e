import { closeSync, mkdirSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { randomFillSync } from "node:crypto";
import { join } from "node:path";
import type { Benchmark, Row } from "../kit/benchmark.ts";
import { cpuMs } from "../kit/cpu-time.ts";
import { percentile } from "../kit/statistics.ts";
import { startMovers } from "./contenders.ts";
import type { Mover } from "./contenders.ts";

/** One file of a gigabyte, there or back, file to file; with `delayMs` over a line on which each byte takes so long. */
export function createFileBenchmark(name: string, verb: "put" | "get", delayMs = 0): Benchmark {
  return {
    name,
    async run(context) {
      const { all, notes } = await startMovers(context, { delayMs });
      const source = join(context.directory, "source.bin");
      const fileBytes = context.quick ? 2 ** 26 : 2 ** 30;
      writeRandomFile(source, fileBytes);
      const run = async (mover: Mover, turn: number): Promise<Figure> => {
        const destination = join(context.directory, `destination-${turn}.bin`);
        const before = cpuOf(mover);
        const timing = await mover.contender.run({
          program: mover[verb](source, destination),
          times: 1,
          parallel: false,
        });
        if (statSync(destination).size !== fileBytes) throw new Error(`${mover.contender.who}: not all arrived`);
        rmSync(destination);
        const cpu = ((cpuOf(mover) - before) / 1_000) * (2 ** 30 / fileBytes);
        return { rate: fileBytes / 2 ** 20 / ((timing.ms[0] ?? 0) / 1_000), cpu };
      };
      const rows = await takeTurns(all, Math.ceil(context.rounds / 2), run, `${verb} 1 GiB`);
      const title = `1 GiB ${verb === "put" ? "up" : "down"}, file to file${delayMs > 0 ? `, ${delayMs} ms of delay` : ""}`;
      return { title, unit: "MiB/s", better: "higher", columns, rows, notes: [...notes, cpuNote] };
    },
  };
}

/** A tree of 10,000 small files, there or back. */
export function createTreeBenchmark(name: string, verb: "put" | "get"): Benchmark {
  return {
    name,
    async run(context) {
      const { all, notes } = await startMovers(context);
      const source = join(context.directory, "tree");
      writeTree(source);
      const run = async (mover: Mover, turn: number): Promise<Figure> => {
        const before = cpuOf(mover);
        const destination = join(context.directory, `tree-${turn}`);
        const program = mover.tree?.[verb](source, destination) ?? { args: [] };
        const timing = await mover.contender.run({ program, times: 1, parallel: false });
        if (!statSync(join(destination, "d99/f99")).isFile())
          throw new Error(`${mover.contender.who}: not all arrived`);
        rmSync(destination, { recursive: true });
        return { rate: (files / (timing.ms[0] ?? 0)) * 1_000, cpu: (cpuOf(mover) - before) / 1_000 };
      };
      const movers = all.filter(({ tree }) => tree !== undefined);
      const rows = await takeTurns(movers, Math.ceil(context.rounds / 2), run, `${verb} 10,000 files`);
      const title = `10,000 files of 1 KiB ${verb === "put" ? "up" : "down"} as a tree`;
      return { title, unit: "files/s", better: "higher", columns, rows, notes: [...notes, cpuNote] };
    },
  };
}

/** Each in turn, round after round; the first round warms up and does not count. */
async function takeTurns(
  movers: readonly Mover[],
  rounds: number,
  run: (mover: Mover, turn: number) => Promise<Figure>,
  command: string,
): Promise<Row[]> {
  const rates = new Map<Mover, Figure[]>(movers.map((mover) => [mover, []]));
  let turn = 0;
  for (let round = -1; round < rounds; round++) {
    for (let index = 0; index < movers.length; index++) {
      const mover = movers[(round + 1 + index) % movers.length];
      if (mover === undefined) continue;
      const rate = await run(mover, turn++);
      if (round >= 0) rates.get(mover)?.push(rate);
    }
  }
  return movers.map((mover) => {
    const figures = rates.get(mover) ?? [];
    const all = figures.map(({ rate }) => rate);
    const cpu = percentile(
      figures.map((figure) => figure.cpu),
      50,
    );
    const { role, who } = mover.contender;
    return {
      role,
      who,
      command,
      samples: all.length,
      values: [percentile(all, 50), percentile(all, 100), percentile(all, 0), cpu],
    };
  });
}

function writeRandomFile(path: string, bytes: number): void {
  const block = Buffer.alloc(4 * 2 ** 20);
  const file = openSync(path, "w");
  for (let written = 0; written < bytes; written += block.length) writeSync(file, randomFillSync(block));
  closeSync(file);
}

function writeTree(directory: string): void {
  for (let parent = 0; parent < 100; parent++) {
    mkdirSync(join(directory, `d${parent}`), { recursive: true });
    for (let file = 0; file < files / 100; file++) {
      writeFileSync(join(directory, `d${parent}/f${file}`), randomFillSync(Buffer.alloc(1024)));
    }
  }
}

/** One turn: how fast it was, and the seconds of processor time that both ends took. */
interface Figure {
  readonly rate: number;
  readonly cpu: number;
}

/** What a mover's processes have used so far; what they start themselves, as cp and ssh, is not in it. */
function cpuOf({ contender, serverPid }: Mover): number {
  if (serverPid === undefined) return Number.NaN;
  return (cpuMs(contender.pid) ?? Number.NaN) + (cpuMs(serverPid) ?? Number.NaN);
}

const files = 10_000;
const columns = ["p50", "best", "worst", "CPU s"];
const cpuNote =
  "CPU s: seconds of processor time of client and server together, a GiB or a tree; steadier than the rates";
