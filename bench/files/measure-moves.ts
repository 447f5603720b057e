import { rmSync } from "node:fs";
import { join } from "node:path";
import type { BenchmarkContext, Row } from "../kit/benchmark.ts";
import { cpuMs } from "../kit/cpu-time.ts";
import { percentile } from "../kit/statistics.ts";
import type { Mover, Verb } from "./movers.ts";

/** What is moved, and how it is told that all of it arrived. */
export interface Move {
  readonly verb: Verb;
  readonly source: string;
  /** How much it is, in the unit in which rates are told. */
  readonly amount: number;
  /** For people. */
  readonly command: string;
  /** Throws where not all of it is there. Undefined: it goes nowhere. */
  readonly check?: (destination: string) => void;
}

/** The statistics that `measureMoves` answers. */
export const columns: readonly string[] = ["p50", "best", "worst", "CPU s"];

/** What the last of them is. */
export const cpuNote = "CPU s: seconds of processor time of client and server together, each time; steadier than rates";

/** Each mover in turn, round after round; the first round warms up and does not count. */
export async function measureMoves(
  { directory }: BenchmarkContext,
  movers: readonly Mover[],
  rounds: number,
  move: Move,
): Promise<Row[]> {
  const figures = new Map<Mover, Figure[]>(movers.map((mover) => [mover, []]));
  let turn = 0;
  for (let round = -1; round < rounds; round++) {
    for (let index = 0; index < movers.length; index++) {
      const mover = movers[(round + 1 + index) % movers.length];
      if (mover === undefined) continue;
      const figure = await measure(mover, move, join(directory, `destination-${turn++}`));
      if (round >= 0) figures.get(mover)?.push(figure);
    }
  }
  return movers.map((mover) => {
    const { contender, floor, target } = mover;
    const taken = figures.get(mover) ?? [];
    const rates = taken.map(({ rate }) => rate);
    const cpu = taken.map((figure) => figure.cpu);
    const values = [percentile(rates, 50), percentile(rates, 100), percentile(rates, 0), percentile(cpu, 50)];
    const { role, who } = contender;
    return { role, who, command: move.command, samples: rates.length, values, floor, target };
  });
}

async function measure(mover: Mover, { verb, source, amount, check }: Move, destination: string): Promise<Figure> {
  const before = cpuOf(mover);
  const program = mover.program(verb, source, destination);
  const { ms } = await mover.contender.run({ program, times: 1, parallel: false });
  const cpu = (cpuOf(mover) - before) / 1_000;
  check?.(destination);
  rmSync(destination, { recursive: true, force: true });
  return { rate: amount / ((ms[0] ?? 0) / 1_000), cpu };
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
