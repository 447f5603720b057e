import type { Program } from "./program.ts";

/** Work for a contender's process: to run a program so many times, one after the other or many at once. */
export interface Job {
  readonly program: Program;
  readonly times: number;
  readonly parallel: boolean;
  /** How many run at a time where they run in parallel; all of them by default. */
  readonly atOnce?: number;
}

/** How it went. */
export interface Timing {
  /** Milliseconds of each run; of all of them together where they ran in parallel. */
  readonly ms: readonly number[];
  /** How many bytes of output arrived, all runs together. */
  readonly bytes: number;
}

export type Answer = { readonly timing: Timing } | { readonly error: string };

/**
 * The main loop of a contender's process. `run` runs a program once and resolves to how many bytes of output arrived;
 * it rejects where the program failed, since a failure that is fast would look like a good figure.
 */
export function serveJobs(run: (program: Program) => Promise<number>): void {
  process.on("message", (job: Job) => {
    void answer(job, run).then((message) => process.send?.(message));
  });
  process.once("disconnect", () => process.exit());
  process.send?.({ ready: true });
}

async function answer(job: Job, run: (program: Program) => Promise<number>): Promise<Answer> {
  try {
    return { timing: await (job.parallel ? runAtOnce(job, run) : runInTurn(job, run)) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

async function runInTurn(job: Job, run: (program: Program) => Promise<number>): Promise<Timing> {
  const ms: number[] = [];
  let bytes = 0;
  for (let time = 0; time < job.times; time++) {
    const begin = performance.now();
    bytes += await run(job.program);
    ms.push(performance.now() - begin);
  }
  return { ms, bytes };
}

async function runAtOnce(job: Job, run: (program: Program) => Promise<number>): Promise<Timing> {
  let left = job.times;
  let bytes = 0;
  const lane = async (): Promise<void> => {
    while (left-- > 0) bytes += await run(job.program);
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: job.atOnce ?? job.times }, lane));
  return { ms: [performance.now() - begin], bytes };
}
