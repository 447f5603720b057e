import { readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import type { Benchmark } from "./benchmark.ts";

/** All that the benchmarks.ts files of bench/'s rooms export, in the order of the rooms' names. */
export async function findBenchmarks(): Promise<Benchmark[]> {
  const root = join(import.meta.dirname, "..");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    /(^|\/)benchmarks\.ts$/.test(path),
  );
  const modules = await Promise.all(
    files
      .toSorted()
      .map((file) => import(pathToFileURL(join(root, file)).href) as Promise<{ benchmarks: Benchmark[] }>),
  );
  return modules.flatMap((module) => module.benchmarks);
}
