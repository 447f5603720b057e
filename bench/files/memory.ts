import { statSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark } from "../kit/benchmark.ts";
import { writeRandomFile } from "../kit/random-file.ts";
import { columns, cpuNote, measureMoves } from "./measure-moves.ts";
import { startFloorMover, startServer, startYonderMover } from "./movers.ts";

/** A file that lies in the kernel's memory, to a client that throws its bytes away; and bytes of memory beside it. */
export const memoryBenchmark: Benchmark = {
  name: "files-memory",
  async run(context) {
    const mib = context.quick ? 64 : 1024;
    const source = writeRandomFile(join(context.directory, "source"), mib * 2 ** 20);
    const server = await startServer(context);
    const floor = async (who: string, file: string) => ({
      ...(await startFloorMover(context, { who, file })),
      program: () => ({ args: ["get", String(statSync(source).size), String(512 * 1024)] }),
    });
    const movers = [
      await floor("bare HTTP/2 stream, memory to memory", "http2-memory.ts"),
      await floor("the same in gRPC's framing, by hand", "framed-memory.ts"),
      await startYonderMover(context, server, {
        who: "TypeScript client, gRPC, no digest",
        settings: { digest: "none" },
        target: { ratio: 0.6, stretch: 0.9 },
      }),
      await startYonderMover(context, server, {
        who: "TypeScript client, gRPC, CRC-32",
        settings: { digest: "crc32" },
      }),
      await startYonderMover(context, server, {
        who: "stock grpc-js client, no digest",
        file: "grpc-js-files-client.ts",
      }),
    ];
    const nowhere = movers.map((mover) => ({
      ...mover,
      program: () =>
        mover.contender.role === "floor" ? mover.program("get", source, "") : { args: ["get", source, ""] },
    }));
    const command = `${mib} MiB down to nowhere`;
    const move = { verb: "get", source, amount: mib, command } as const;
    // Each takes half a second, and what else the machine does is seen at once.
    const rows = await measureMoves(context, nowhere, Math.ceil(context.rounds * 0.8), move);
    return { title: command, unit: "MiB/s", better: "higher", columns, rows, notes: [cpuNote] };
  },
};
