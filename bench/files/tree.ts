import { statSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark, BenchmarkContext } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import { writeTree } from "../kit/random-tree.ts";
import { startSshMovers } from "../peers/ssh-movers.ts";
import { columns, cpuNote, measureMoves } from "./measure-moves.ts";
import { startFloorMover, startServer, startYonderMover } from "./movers.ts";
import type { Mover, Verb } from "./movers.ts";

/** Many small files as a tree, there or back. */
export function createTreeBenchmark(name: string, verb: Verb): Benchmark {
  return {
    name,
    async run(context) {
      const files = context.quick ? 1_000 : 10_000;
      const source = writeTree(join(context.directory, "tree"), files);
      const server = await startServer(context);
      const { movers: peers, notes } = await startSshMovers(context, "tree");
      const ours = await startYonderMover(context, server, {
        who: "TypeScript client, gRPC, CRC-32",
        target: { ratio: 0.8 },
      });
      const movers = [
        await startFloorMover(context, { who: "tar-stream and node:fs over bare HTTP/2", file: "http2-tree.ts" }),
        { ...ours, program: (way: Verb, from: string, to: string) => ({ args: [`${way}-tree`, from, to] }) },
        await startCopy(context),
        ...peers,
      ];
      const last = `d${files / 100 - 1}/f99`;
      const check = (destination: string): void => {
        if (!statSync(join(destination, last)).isFile()) throw new Error(`${last} did not arrive`);
      };
      const command = `${files.toLocaleString("en")} files of 1 KiB ${verb === "put" ? "up" : "down"}`;
      const move = { verb, source, amount: files, command, check };
      const rows = await measureMoves(context, movers, Math.ceil(context.rounds / 3), move);
      const title = `${command} as a tree`;
      const syncNote = "up: Yonder and its floor sync the file system when all is written, cp and tar do not";
      return { title, unit: "files/s", better: "higher", columns, rows, notes: [...notes, syncNote, cpuNote] };
    },
  };
}

async function startCopy(context: BenchmarkContext): Promise<Mover> {
  const module = new URL("../floors/local-spawn.ts", import.meta.url);
  const contender = await startContender(context, {
    role: "floor",
    who: "cp -a, on the same disk, not synced",
    module,
  });
  return { contender, program: (_, source, destination) => ({ args: ["cp", "-a", source, destination] }) };
}
