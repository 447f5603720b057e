import type { Benchmark } from "../kit/benchmark.ts";
import { chunkSizeBenchmark } from "./chunk-size.ts";
import { concurrencyBenchmark } from "./concurrency.ts";

export const benchmarks: Benchmark[] = [chunkSizeBenchmark, concurrencyBenchmark];
