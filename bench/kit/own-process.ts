import type { ChildProcess } from "node:child_process";
import type { BenchmarkContext } from "./benchmark.ts";
import { stopProcess } from "./stop-process.ts";

/** Starts a process that goes with the benchmark's scope: by SIGTERM, or by what `ask` does. */
export function ownProcess<T extends ChildProcess>(
  { scope }: BenchmarkContext,
  start: () => T,
  ask?: (child: T) => void,
): T {
  // An interrupted benchmark goes on for a moment after its scope has ended.
  if (scope.disposed) throw new Error("the benchmark was interrupted");
  const child = start();
  scope.defer(() => stopProcess(child, ask && (() => ask(child))));
  return child;
}
