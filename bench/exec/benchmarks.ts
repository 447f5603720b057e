import type { Benchmark } from "../kit/benchmark.ts";
import { busyBenchmark } from "./busy.ts";
import { createLatencyBenchmark } from "./latency.ts";
import { memoryBenchmark } from "./memory.ts";
import { outputBenchmark } from "./output.ts";
import { parallelBenchmark } from "./parallel.ts";

export const benchmarks: Benchmark[] = [
  createLatencyBenchmark("exec-args", { args: ["true"] }),
  createLatencyBenchmark("exec-command", { command: "true" }, { ratio: 1.4, stretch: 1.25 }),
  parallelBenchmark,
  busyBenchmark,
  outputBenchmark,
  memoryBenchmark,
];
