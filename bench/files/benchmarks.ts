import type { Benchmark } from "../kit/benchmark.ts";
import { createFileBenchmark, createTreeBenchmark } from "./move.ts";

export const benchmarks: Benchmark[] = [
  createFileBenchmark("files-upload", "put"),
  createFileBenchmark("files-download", "get"),
  createFileBenchmark("files-upload-20ms", "put", 20),
  createFileBenchmark("files-download-20ms", "get", 20),
  createTreeBenchmark("files-tree-upload", "put"),
  createTreeBenchmark("files-tree-download", "get"),
];
