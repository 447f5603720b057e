import type { BenchmarkContext, Row } from "./benchmark.ts";
import type { Answer, Job, Timing } from "./serve-jobs.ts";
import { startWorker } from "./worker.ts";
import type { WorkerOptions } from "./worker.ts";

/** Somebody who can run programs, in a process of its own so that no contender pays for another's garbage. */
export interface Contender {
  readonly role: Row["role"];
  readonly who: string;
  readonly pid: number;
  run(job: Job): Promise<Timing>;
}

export interface ContenderOptions extends WorkerOptions {
  readonly role: Row["role"];
  readonly who: string;
}

/** Starts a contender whose program calls `serveJobs`. */
export async function startContender(context: BenchmarkContext, options: ContenderOptions): Promise<Contender> {
  const { role, who } = options;
  const worker = startWorker(context, options);
  await worker.receive();
  return {
    role,
    who,
    pid: worker.pid,
    async run(job) {
      worker.send(job);
      const answer = (await worker.receive()) as Answer;
      if ("error" in answer) throw new Error(`${who}: ${answer.error}`);
      return answer.timing;
    },
  };
}
