import { DockerWorkspace } from "@yonder/client/docker";
import { execFileSync } from "node:child_process";
import { closeSync, copyFileSync, fsyncSync, openSync, rmSync, statSync } from "node:fs";
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

/** A gigabyte into a container, or out of it; each time under a new name. */
async function move(context: BenchmarkContext, image: string, verb: "put" | "get"): Promise<Omit<Result, "notes">> {
  const { rounds, scope, directory, quick } = context;
  const fileBytes = quick ? 2 ** 26 : 2 ** 30;
  const workspace = scope.use(await DockerWorkspace.start({ serverImage: image, pull: "never" }));
  const { containerId } = workspace;
  const here = join(directory, "here.bin");
  const there = "/workspace/there.bin";
  writeRandomFile(here, fileBytes);
  if (verb === "get") succeeded(await workspace.fileUpload(here, there));
  const [from, to] = verb === "put" ? [here, `${there}.copy`] : [there, `${here}.copy`];
  const isThere = verb === "put";
  const asRoot = (...args: string[]) => docker("exec", "--user=0", containerId, ...args);
  const cp = () => (isThere ? docker("cp", from, `${containerId}:${to}`) : docker("cp", `${containerId}:${from}`, to));
  const sync = async () => void (isThere ? await asRoot("sync", to) : syncFile(to));
  const turn = (act: () => Promise<unknown>) => async (): Promise<number> => {
    // What another left to the kernel to write is not this one's to wait for.
    execFileSync("sync");
    const ms = await timed(act);
    const size = isThere ? (await workspace.fs.stat(to)).size : statSync(to).size;
    if (size !== fileBytes) throw new Error(`only ${size} bytes arrived`);
    if (isThere) await asRoot("rm", to);
    else rmSync(to);
    return ms;
  };
  const local = async (): Promise<number> => {
    execFileSync("sync");
    const copy = `${here}.local`;
    const ms = await timed(async () => copyFileSync(here, copy));
    rmSync(copy);
    return ms;
  };
  const rows = await takeTurns(
    [
      { role: "floor", who: "a copy on this machine, not synced", command: "copyFileSync", run: local },
      { role: "peer", who: "docker cp, not synced", command: "docker cp", run: turn(cp) },
      {
        role: "peer",
        who: "docker cp, then sync of the file",
        command: "docker cp",
        run: turn(async () => {
          await cp();
          await sync();
        }),
      },
      {
        role: "yonder",
        who: "DockerWorkspace",
        command: isThere ? "fileUpload" : "fileDownload",
        target: { aheadOfPeers: true },
        run: turn(async () =>
          succeeded(await (isThere ? workspace.fileUpload(from, to) : workspace.fileDownload(from, to))),
        ),
      },
    ],
    Math.ceil(rounds / 3),
  );
  return { ...table, title: `${fileBytes / 2 ** 20} MiB ${isThere ? "into" : "out of"} a container`, rows };
}

function succeeded({ success, error }: { readonly success: boolean; readonly error?: string | null }): void {
  if (!success) throw new Error(error ?? "failed");
}

function syncFile(path: string): void {
  const file = openSync(path, "r+");
  fsyncSync(file);
  closeSync(file);
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
