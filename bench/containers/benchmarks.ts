import { DockerWorkspace } from "@yonder/client/docker";
import { copyFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark, BenchmarkContext, Result, Row } from "../kit/benchmark.ts";
import { writeRandomFile } from "../kit/random-file.ts";
import { percentile } from "../kit/statistics.ts";
import { docker, findImage } from "./engine.ts";

export const benchmarks: Benchmark[] = [
  createBenchmark("container-start", start),
  createBenchmark("container-exec", exec),
  createBenchmark("container-put", (context, image) => move(context, image, "put")),
  createBenchmark("container-get", (context, image) => move(context, image, "get")),
];

/** Somebody, and one go of theirs, which answers how many milliseconds it took. */
interface Turn extends Pick<Row, "role" | "who" | "command" | "target"> {
  readonly run: () => Promise<number>;
}

type Measure = (context: BenchmarkContext, image: string) => Promise<Omit<Result, "notes">>;

function createBenchmark(name: string, measure: Measure): Benchmark {
  return {
    name,
    async run(context) {
      const found = await findImage();
      if ("why" in found) return { ...empty(name), notes: [found.why] };
      const notes = [`the image ${found.image} has ${(found.bytes / 1e6).toFixed(0)} MB, its base included`];
      return { ...(await measure(context, found.image)), notes };
    },
  };
}

/** From nothing to the result of the first command, and away again. */
async function start(context: BenchmarkContext, image: string): Promise<Omit<Result, "notes">> {
  const ready: number[] = [];
  const run = ["run", "--rm", "--entrypoint=true", image];
  const turns: Turn[] = [
    {
      role: "floor",
      who: "docker run, to its end",
      command: `docker ${run.join(" ")}`,
      run: () => timed(() => docker(...run)),
    },
    {
      role: "yonder",
      who: "DockerWorkspace, to the first command's result",
      command: "DockerWorkspace.start, then true",
      async run() {
        const begin = performance.now();
        await using workspace = await DockerWorkspace.start({ serverImage: image, pull: "never" });
        ready.push(performance.now() - begin);
        await workspace.executeCommand("true", { check: true });
        return performance.now() - begin;
      },
    },
  ];
  const rows = await takeTurns(turns, context.rounds);
  const waits = ready.slice(1);
  rows.push({ ...rowOf(turns[1], waits), who: "DockerWorkspace, until it is ready" });
  return { ...table, title: "from nothing to a command in a fresh container", rows };
}

/** `true` in a container that runs. */
async function exec({ rounds, scope }: BenchmarkContext, image: string): Promise<Omit<Result, "notes">> {
  const workspace = scope.use(await DockerWorkspace.start({ serverImage: image, pull: "never" }));
  const args = ["exec", workspace.containerId, "true"];
  const rows = await takeTurns(
    [
      { role: "floor", who: "docker exec", command: "docker exec … true", run: () => timed(() => docker(...args)) },
      {
        role: "yonder",
        who: "DockerWorkspace",
        command: "true",
        run: () => timed(() => workspace.executeCommand(["true"], { check: true })),
      },
    ],
    rounds * 5,
  );
  return { ...table, title: "one small command after the other in a container", rows };
}

/** A gigabyte into a container, or out of it. */
async function move(context: BenchmarkContext, image: string, verb: "put" | "get"): Promise<Omit<Result, "notes">> {
  const { rounds, scope, directory, quick } = context;
  const fileBytes = quick ? 2 ** 26 : 2 ** 30;
  const workspace = scope.use(await DockerWorkspace.start({ serverImage: image, pull: "never" }));
  const source = join(directory, "source.bin");
  const target = join(directory, "target.bin");
  writeRandomFile(source, fileBytes);
  const there = "/workspace/file.bin";
  const remote = `${workspace.containerId}:${there}`;
  await workspace.fileUpload(source, there);
  const arrived = async (act: () => Promise<unknown>): Promise<number> => {
    const ms = await timed(act);
    const { size } = verb === "put" ? await workspace.fs.stat(there) : statSync(target);
    if (size !== fileBytes) throw new Error(`only ${size} bytes arrived`);
    if (verb === "get") rmSync(target);
    return ms;
  };
  const [copy, call] =
    verb === "put"
      ? [["cp", source, remote], () => workspace.fileUpload(source, there)]
      : [["cp", remote, target], () => workspace.fileDownload(there, target)];
  const local = async (): Promise<number> => {
    const ms = await timed(async () => copyFileSync(source, `${target}.local`));
    rmSync(`${target}.local`);
    return ms;
  };
  const rows = await takeTurns(
    [
      { role: "floor", who: "a copy on this machine", command: "copyFileSync", run: local },
      { role: "peer", who: "docker cp", command: "docker cp", run: () => arrived(() => docker(...copy)) },
      {
        role: "yonder",
        who: "DockerWorkspace",
        command: verb === "put" ? "fileUpload" : "fileDownload",
        target: { aheadOfPeers: true },
        run: () => arrived(call),
      },
    ],
    Math.ceil(rounds / 3),
  );
  return { ...table, title: `${fileBytes / 2 ** 20} MiB ${verb === "put" ? "into" : "out of"} a container`, rows };
}

const table = { unit: "ms", better: "lower", columns: ["p50", "p90", "best"] } as const;

function empty(name: string): Omit<Result, "notes"> {
  return { ...table, title: name, rows: [] };
}

/** One round warms up and does not count. */
async function takeTurns(turns: readonly Turn[], rounds: number): Promise<Row[]> {
  const samples = new Map<Turn, number[]>(turns.map((turn) => [turn, []]));
  for (let round = -1; round < rounds; round++) {
    for (const turn of turns) {
      const ms = await turn.run();
      if (round >= 0) samples.get(turn)?.push(ms);
    }
  }
  return turns.map((turn) => rowOf(turn, samples.get(turn) ?? []));
}

function rowOf(turn: Turn | undefined, ms: readonly number[]): Row {
  const { role = "yonder", who = "", command = "", target } = turn ?? {};
  return {
    role,
    who,
    command,
    target,
    samples: ms.length,
    values: [percentile(ms, 50), percentile(ms, 90), percentile(ms, 0)],
  };
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await act();
  return performance.now() - begin;
}
