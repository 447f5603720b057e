import type { Contender } from "./contender.ts";
import type { Job, Timing } from "./serve-jobs.ts";

/**
 * Lets contenders do the same job in turn, round after round (A B C, B C A, …), so that a busy minute of the machine
 * hits all of them and nobody always comes first. One round before the first warms up and does not count.
 */
export async function takeTurns(
  contenders: readonly Contender[],
  job: Job,
  rounds: number,
): Promise<Map<Contender, Timing[]>> {
  const timings = new Map<Contender, Timing[]>(contenders.map((contender) => [contender, []]));
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + 1 + turn) % contenders.length];
      if (contender === undefined) continue;
      const timing = await contender.run(job);
      if (round >= 0) timings.get(contender)?.push(timing);
    }
  }
  return timings;
}
