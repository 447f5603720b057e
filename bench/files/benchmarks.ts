import type { Benchmark } from "../kit/benchmark.ts";
import { createFileBenchmark, createTreeBenchmark } from "./move.ts";

export const benchmarks: Benchmark[] = [
  createFileBenchmark("files-upload", "put"),
  createFileBenchmark("files-download", "get"),
  createFileBenchmark("files-20ms-upload", "put", 20),
  createFileBenchmark("files-20ms-download", "get", 20),
  createTreeBenchmark("files-tree-upload", "put"),
  createTreeBenchmark("files-tree-download", "get"),
];
