import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";

/** Where and when figures were taken: they mean little without it. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** The commit that was measured; "-dirty" where files differ from it. */
  readonly commit: string;
}

/** What all results of one run have in common. */
export interface Run {
  readonly machine: Machine;
  readonly rounds: number;
}

/** The same in one line for people. */
export function describeRun({ machine, rounds }: Run): string {
  const { date, cpu, cores, memoryGiB, system, node, commit } = machine;
  return `${date} · ${commit} · ${cores} × ${cpu}, ${memoryGiB} GiB · ${system} · Node ${node} · ${rounds} rounds`;
}

export function describeMachine(): Machine {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    commit: commit(),
  };
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], {
      cwd: import.meta.dirname,
      encoding: "utf8",
    }).trim();
  } catch {
    return "unknown";
  }
}
