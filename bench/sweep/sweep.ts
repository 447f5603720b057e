import type { Row } from "../kit/benchmark.ts";
import type { Contender } from "../kit/contender.ts";
import type { Job, Timing } from "../kit/serve-jobs.ts";
import { percentile } from "../kit/statistics.ts";

/** Somebody who does the same work at several sizes, one line of a plot. */
export interface Line {
  readonly contender: Contender;
  readonly job: (x: number) => Job;
}

export interface Sweep {
  readonly lines: readonly Line[];
  readonly xs: readonly number[];
  readonly rounds: number;
  /** One of the sizes for people. */
  readonly label: (x: number) => string;
  /** The figure that a turn gave. */
  readonly figure: (timing: Timing, x: number) => number;
  /** What is done between turns. */
  readonly cleanUp?: () => void;
}

/** Each line at each size in turn, round after round, after one round that warms up: the median of each point. */
export async function runSweep({ lines, xs, rounds, label, figure, cleanUp }: Sweep): Promise<Row[]> {
  const points = xs.flatMap((x) => lines.map((line) => ({ line, x, figures: [] as number[] })));
  for (let round = -1; round < rounds; round++) {
    for (const { line, x, figures } of points) {
      const timing = await line.contender.run(line.job(x));
      cleanUp?.();
      if (round >= 0) figures.push(figure(timing, x));
    }
  }
  const nameOf = (who: string, x: number): string => `${label(x)}, ${who}`;
  const floor = lines.find(({ contender }) => contender.role === "floor")?.contender.who ?? "";
  return points.map(({ line, x, figures }) => {
    const { role, who } = line.contender;
    const values = [percentile(figures, 50)];
    const point = { line: who, x };
    return {
      role,
      who: nameOf(who, x),
      command: label(x),
      samples: figures.length,
      values,
      point,
      floor: nameOf(floor, x),
    };
  });
}
