import { existsSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import { startFloor } from "../kit/floor.ts";
import { startYonderServer } from "../kit/yonder-server.ts";
import { runSweep } from "./sweep.ts";

const kibs = [4, 16, 64, 256, 512, 1024, 2048];

/** How fast bytes of memory go up, by the size of their chunks. */
export const chunkSizeBenchmark: Benchmark = {
  name: "sweep-chunk-size",
  async run(context) {
    const mib = context.quick ? 8 : 64;
    const directory = mkdtempSync(join(memoryDirectory(2 * mib * 2 ** 20), "yonder-bench-"));
    context.scope.defer(() => rmSync(directory, { recursive: true, force: true }));
    const destination = join(directory, "destination");
    const { host, apiKey } = await startYonderServer(context);
    const start = async (who: string, file: string) => {
      const module = new URL(`../clients/${file}`, import.meta.url);
      return await startContender(context, { role: "yonder", who, module, settings: { host, apiKey } });
    };
    const module = new URL("../floors/http2-memory.ts", import.meta.url);
    const job = (verb: string) => (kib: number) => {
      const args = [verb, String(mib * 2 ** 20), String(kib * 1024), destination];
      return { program: { args }, times: 1, parallel: false };
    };
    const rows = await runSweep({
      lines: [
        { contender: (await startFloor(context, { who: "bare HTTP/2 stream", module })).contender, job: job("put") },
        { contender: await start("TypeScript over the wire, gRPC", "chunks-client.ts"), job: job("put") },
        { contender: await start("stock grpc-js client", "grpc-js-files-client.ts"), job: job("put-bytes") },
      ],
      xs: kibs,
      rounds: Math.ceil(context.rounds / 3),
      label: (kib) => `${kib} KiB`,
      figure: ({ ms, bytes }) => {
        if (bytes !== mib * 2 ** 20) throw new Error(`only ${bytes} bytes of ${mib} MiB went up`);
        return mib / ((ms[0] ?? 0) / 1_000);
      },
      cleanUp: () => rmSync(destination),
    });
    return {
      title: `${mib} MiB up from memory to memory, without a digest, by the size of the chunks`,
      unit: "MiB/s",
      better: "higher",
      columns: ["p50"],
      rows,
      notes: [],
      plot: { x: "chunk size, KiB", y: "MiB/s" },
    };
  },
};

/** A file system in memory, where it has room: what a chunk costs is to be seen, not what a disk does. */
function memoryDirectory(bytes: number): string {
  const path = "/dev/shm";
  if (!existsSync(path)) return tmpdir();
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize > bytes ? path : tmpdir();
}
