import type { BenchmarkContext } from "./benchmark.ts";

let count = 0;

/** The flags that make a Node process leave a CPU profile when it ends, where the run wants one. */
export function profileFlags(context: BenchmarkContext, name: string): string[] {
  if (context.profileDirectory === undefined) return [];
  const file = `${String(count++).padStart(2, "0")}-${name}.cpuprofile`;
  return ["--cpu-prof", `--cpu-prof-dir=${context.profileDirectory}`, `--cpu-prof-name=${file}`];
}
