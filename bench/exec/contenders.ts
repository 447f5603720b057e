import type { BenchmarkContext } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import type { Contender } from "../kit/contender.ts";
import { startWorker } from "../kit/worker.ts";
import { startYonderServer } from "../kit/yonder-server.ts";
import { startPrivateSshd } from "../peers/private-sshd.ts";

/** Everybody who can run a command, and who is missing on this machine. */
export interface Contenders {
  readonly all: readonly Contender[];
  readonly notes: readonly string[];
}

export interface ContendersOptions {
  /** Whether the floor without any wire is measured too; it then comes first. */
  readonly withLocal: boolean;
  /** How the TypeScript client reads: a result at the end, or a stream of bytes. */
  readonly reader: "result" | "stream";
}

/** Starts a server and a client for everybody. */
export async function startContenders(context: BenchmarkContext, options: ContendersOptions): Promise<Contenders> {
  const local = options.withLocal ? [await startLocalFloor(context)] : [];
  const remote = [await startHttp2Floor(context), ...(await startYonderContenders(context, options.reader))];
  const ssh = await startPrivateSshd(context);
  if ("missing" in ssh) return { all: [...local, ...remote], notes: [`skipped ssh: ${ssh.missing}`] };
  const peer = await startContender(context, {
    role: "peer",
    who: "ssh, connection shared (ControlMaster)",
    module: new URL("../peers/ssh-client.ts", import.meta.url),
    settings: ssh,
  });
  return { all: [...local, ...remote, peer], notes: [] };
}

function startLocalFloor(context: BenchmarkContext): Promise<Contender> {
  return startContender(context, {
    role: "floor",
    who: "child_process.spawn in the caller itself",
    module: new URL("../floors/local-spawn.ts", import.meta.url),
  });
}

async function startHttp2Floor(context: BenchmarkContext): Promise<Contender> {
  const server = startWorker(context, { module: new URL("../floors/http2-server.ts", import.meta.url) });
  return startContender(context, {
    role: "floor",
    who: "spawn behind a bare HTTP/2 stream",
    module: new URL("../floors/http2-client.ts", import.meta.url),
    settings: await server.receive(),
  });
}

async function startYonderContenders(context: BenchmarkContext, reader: string): Promise<Contender[]> {
  const { host, apiKey } = await startYonderServer(context);
  return [
    await startContender(context, {
      role: "yonder",
      who: "TypeScript client, gRPC",
      module: new URL("../clients/yonder-client.ts", import.meta.url),
      settings: { host, apiKey, reader },
    }),
    await startContender(context, {
      role: "yonder",
      who: "stock grpc-js client",
      module: new URL("../clients/grpc-js-client.ts", import.meta.url),
      settings: { host, apiKey },
    }),
  ];
}
