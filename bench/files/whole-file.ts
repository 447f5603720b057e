import { statSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark, BenchmarkContext, Target } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import { writeRandomFile } from "../kit/random-file.ts";
import { startSshMovers } from "../peers/ssh-movers.ts";
import { columns, cpuNote, measureMoves } from "./measure-moves.ts";
import { startFloorMover, startServer, startYonderMover } from "./movers.ts";
import type { Mover, Verb } from "./movers.ts";

/** One file of a gigabyte, there or back, file to file and made to last. */
export function createFileBenchmark(name: string, verb: Verb): Benchmark {
  return {
    name,
    async run(context) {
      const move = moveOf(context, verb, context.quick ? 64 : 1024);
      const { movers: peers, notes } = await startSshMovers(context, "file");
      const movers = [...(await startMovers(context, verb)), ...peers];
      const rows = await measureMoves(context, movers, Math.ceil(context.rounds / 2), move);
      const title = `${move.command}, file to file`;
      return { title, unit: "MiB/s", better: "higher", columns, rows, notes: [...notes, cpuNote] };
    },
  };
}

/** The same over a line on which each byte is so long on its way, in each direction. */
export function createDelayedBenchmark(name: string, verb: Verb, delayMs: number): Benchmark {
  return {
    name,
    async run(context) {
      const move = moveOf(context, verb, context.quick ? 32 : 256);
      const who = "TypeScript client, gRPC, CRC-32";
      const movers = [
        await startFloorMover(context, { who: http2, file: "http2-files.ts", delayMs }),
        await startYonderMover(context, await startServer(context, delayMs), { who, target: { ratio: 0.9 } }),
      ];
      const rows = await measureMoves(context, movers, Math.ceil(context.rounds / 2), move);
      const title = `${move.command}, file to file, ${delayMs} ms of delay`;
      const note = `each byte is ${delayMs} ms on its way, in each direction`;
      return { title, unit: "MiB/s", better: "higher", columns, rows, notes: [note, cpuNote] };
    },
  };
}

const http2 = "bare HTTP/2 stream, file to file, synced";
const tuned = "the same, with all that is known to make it faster";
const http1 = "bare HTTP/1.1, file to file, synced";

/** The floors, everybody of ours, and a copy on this machine. */
async function startMovers(context: BenchmarkContext, verb: Verb): Promise<Mover[]> {
  const server = await startServer(context);
  const grpc = (digest: string, label: string, target: Target): Promise<Mover> =>
    startYonderMover(context, server, { who: `TypeScript client, gRPC, ${label}`, settings: { digest }, target });
  return [
    await startFloorMover(context, { who: http2, file: "http2-files.ts" }),
    await startFloorMover(context, { who: tuned, file: "http2-files-tuned.ts" }),
    await grpc("none", "no digest", { ratio: verb === "put" ? 0.8 : 0.85, stretch: 0.95 }),
    await grpc("crc32", "CRC-32", { ratio: 0.75, aheadOfPeers: true }),
    await grpc("sha256", "SHA-256", { ratio: 0.5 }),
    await startYonderMover(context, server, {
      who: "stock grpc-js client, no digest",
      file: "grpc-js-files-client.ts",
    }),
    await startFloorMover(context, { who: http1, file: "http1-files.ts" }),
    await startYonderMover(context, server, {
      who: "TypeScript client, Connect on HTTP/1.1, CRC-32",
      settings: { httpVersion: "1.1" },
      floor: http1,
      target: { ratio: 0.75, aheadOfPeers: true },
    }),
    await startCopy(context),
  ];
}

async function startCopy(context: BenchmarkContext): Promise<Mover> {
  const module = new URL("../floors/local-spawn.ts", import.meta.url);
  const contender = await startContender(context, { role: "floor", who: "cp, on the same disk, not synced", module });
  const program: Mover["program"] = (_, source, destination) => ({
    args: ["cp", "--reflink=never", source, destination],
  });
  return { contender, program };
}

function moveOf({ directory }: BenchmarkContext, verb: Verb, mib: number) {
  const check = (destination: string): void => {
    const { size } = statSync(destination);
    if (size !== mib * 2 ** 20) throw new Error(`only ${size} bytes of ${mib} MiB arrived`);
  };
  const source = writeRandomFile(join(directory, "source"), mib * 2 ** 20);
  return { verb, source, amount: mib, command: `${mib} MiB ${verb === "put" ? "up" : "down"}`, check };
}
