import type { Benchmark } from "../kit/benchmark.ts";
import { memoryBenchmark } from "./memory.ts";
import { createTreeBenchmark } from "./tree.ts";
import { createDelayedBenchmark, createFileBenchmark } from "./whole-file.ts";

export const benchmarks: Benchmark[] = [
  createFileBenchmark("files-upload", "put"),
  createFileBenchmark("files-download", "get"),
  memoryBenchmark,
  createDelayedBenchmark("files-20ms-upload", "put", 20),
  createDelayedBenchmark("files-20ms-download", "get", 20),
  createTreeBenchmark("files-tree-upload", "put"),
  createTreeBenchmark("files-tree-download", "get"),
];
