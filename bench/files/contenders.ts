import type { BenchmarkContext } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import type { Contender } from "../kit/contender.ts";
import { startWorker } from "../kit/worker.ts";
import { startYonderServer } from "../kit/yonder-server.ts";
import { startPrivateSshd } from "../peers/private-sshd.ts";
import { startDelayLine } from "./delay-line.ts";
import type { Program } from "../kit/program.ts";

/** Somebody who can move files, and what he has to be told to do it. */
export interface Mover {
  readonly contender: Contender;
  /** The process at the other end; undefined where none of ours is. */
  readonly serverPid: number | undefined;
  put(source: string, destination: string): Program;
  get(source: string, destination: string): Program;
  /** The same for trees; undefined where he moves single files only. */
  readonly tree:
    | { put(source: string, destination: string): Program; get(source: string, destination: string): Program }
    | undefined;
}

export interface Movers {
  readonly all: readonly Mover[];
  readonly notes: readonly string[];
}

/** Starts everybody. With `delayMs` each byte is so long on its way, in each direction, and only who has a wire takes part. */
export async function startMovers(context: BenchmarkContext, { delayMs = 0 } = {}): Promise<Movers> {
  const all = [await startHttp2(context, delayMs), ...(await startYonder(context, delayMs))];
  if (delayMs > 0) return { all, notes: [`each byte is ${delayMs} ms on its way, in each direction`] };
  all.push(await startLocal(context));
  const ssh = await startSsh(context);
  if ("missing" in ssh) return { all, notes: [`skipped scp: ${ssh.missing}`] };
  return { all: [...all, ssh], notes: [] };
}

async function startHttp2(context: BenchmarkContext, delayMs: number): Promise<Mover> {
  const server = startWorker(context, { module: new URL("../floors/files-server.ts", import.meta.url) });
  const { port } = (await server.receive()) as { port: number };
  const url = await behindDelay(context, `http://127.0.0.1:${port}`, delayMs);
  const contender = await startContender(context, {
    role: "floor",
    who: "bare HTTP/2 stream, file to file, synced",
    module: new URL("../floors/files-client.ts", import.meta.url),
    settings: { port: Number(new URL(url).port) },
  });
  return { contender, serverPid: server.pid, ...verbs, tree: undefined };
}

async function startYonder(context: BenchmarkContext, delayMs: number): Promise<Mover[]> {
  const { host, apiKey, pid } = await startYonderServer(context);
  const url = await behindDelay(context, host, delayMs);
  const start = (who: string, httpVersion: string): Promise<Contender> =>
    startContender(context, {
      role: "yonder",
      who,
      module: new URL("../clients/files-client.ts", import.meta.url),
      settings: { host: url, apiKey, httpVersion },
    });
  const tree = {
    put: (source: string, destination: string) => ({ args: ["put-tree", source, destination] }),
    get: (source: string, destination: string) => ({ args: ["get-tree", source, destination] }),
  };
  const grpc = { contender: await start("TypeScript client, gRPC", "2"), serverPid: pid, ...verbs, tree };
  if (delayMs > 0) return [grpc];
  const connect = await start("TypeScript client, Connect on HTTP/1.1", "1.1");
  return [grpc, { contender: connect, serverPid: pid, ...verbs, tree: undefined }];
}

async function startLocal(context: BenchmarkContext): Promise<Mover> {
  const contender = await startContender(context, {
    role: "floor",
    who: "cp, on the same disk, not synced",
    module: new URL("../floors/local-spawn.ts", import.meta.url),
  });
  const copy = (source: string, destination: string): Program => ({
    args: ["cp", "--reflink=never", source, destination],
  });
  const copyTree = (source: string, destination: string): Program => ({ args: ["cp", "-a", source, destination] });
  return { contender, serverPid: undefined, put: copy, get: copy, tree: { put: copyTree, get: copyTree } };
}

async function startSsh(context: BenchmarkContext): Promise<Mover | { readonly missing: string }> {
  const ssh = await startPrivateSshd(context);
  if ("missing" in ssh) return ssh;
  const contender = await startContender(context, {
    role: "peer",
    who: "scp, and tar through ssh, connection shared",
    module: new URL("../floors/local-spawn.ts", import.meta.url),
  });
  const options = ssh.sshArguments
    .slice(0, -2)
    .map((option) => (option.startsWith("-p") ? `-P${option.slice(2)}` : option));
  // scp knows no -S for a control socket: there it is the program.
  const scp = [
    "scp",
    "-q",
    ...options.map((option) => (option.startsWith("-S") ? `-oControlPath=${option.slice(2)}` : option)),
  ];
  const shell = ["ssh", ...ssh.sshArguments].map(quote).join(" ");
  return {
    contender,
    serverPid: undefined,
    put: (source, destination) => ({ args: [...scp, source, `127.0.0.1:${destination}`] }),
    get: (source, destination) => ({ args: [...scp, `127.0.0.1:${source}`, destination] }),
    tree: {
      put: (source, destination) => ({
        command: `tar -C ${quote(source)} -c . | ${shell} ${quote(`mkdir -p ${destination} && tar -C ${destination} -x`)}`,
      }),
      get: (source, destination) => ({
        command: `mkdir -p ${quote(destination)} && ${shell} ${quote(`tar -C ${source} -c .`)} | tar -C ${quote(destination)} -x`,
      }),
    },
  };
}

async function behindDelay(context: BenchmarkContext, target: string, delayMs: number): Promise<string> {
  if (delayMs === 0) return target;
  return context.scope.use(await startDelayLine(target, delayMs)).url;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

const verbs = {
  put: (source: string, destination: string): Program => ({ args: ["put", source, destination] }),
  get: (source: string, destination: string): Program => ({ args: ["get", source, destination] }),
};
