import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark, BenchmarkContext, Result } from "./benchmark.ts";
import { noteOtherLoad } from "./other-load.ts";

/** What all benchmarks of a run are given. */
export type RunOptions = Pick<BenchmarkContext, "rounds" | "quick" | "profileDirectory">;

/** Runs one benchmark. When it ends, or `signal` aborts, what it started is stopped and what it wrote is removed. */
export async function runBenchmark(benchmark: Benchmark, options: RunOptions, signal: AbortSignal): Promise<Result> {
  await using scope = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "yonder-bench-"));
  scope.defer(() => rmSync(directory, { recursive: true, force: true }));
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  scope.defer(() => signal.removeEventListener("abort", onAbort));
  aborted.promise.catch(() => {});
  signal.throwIfAborted();
  const notes = options.quick ? [] : await noteOtherLoad();
  const result = await Promise.race([benchmark.run({ ...options, scope, directory }), aborted.promise]);
  return { ...result, notes: [...result.notes, ...notes] };
}
