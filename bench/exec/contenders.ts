import type { BenchmarkContext } from "../kit/benchmark.ts";
import { startContender } from "../kit/contender.ts";
import type { Contender } from "../kit/contender.ts";
import { startFloor } from "../kit/floor.ts";
import type { RunningFloor } from "../kit/floor.ts";
import { startYonderServer } from "../kit/yonder-server.ts";
import { startPrivateSshd } from "../peers/private-sshd.ts";

/** Everybody who can run a command, and who is missing on this machine. */
export interface Contenders {
  readonly all: readonly Contender[];
  readonly notes: readonly string[];
  /** The process ids of their servers, where those are ours. */
  readonly servers: ReadonlyMap<Contender, number>;
}

export interface ContendersOptions {
  /** Whether the floor without any wire is measured too; it then comes first. */
  readonly withLocal: boolean;
  /** How the TypeScript client reads: a result at the end, or a stream of bytes. */
  readonly reader: "result" | "stream";
  /** What is behind the floor's HTTP/2: the command alone by default, or a file too that its output is appended to. */
  readonly floor?: Http2Floor;
}

/** A floor that runs commands behind HTTP/2. */
export type Http2Floor = keyof typeof http2Floors;

const http2Floors = {
  spawn: { module: new URL("../floors/http2-spawn.ts", import.meta.url), who: "spawn behind a bare HTTP/2 stream" },
  output: {
    module: new URL("../floors/http2-output.ts", import.meta.url),
    who: "pipe, appended to a file, bare HTTP/2 stream",
  },
} as const;

/** Starts a server and a client for everybody. */
export async function startContenders(context: BenchmarkContext, options: ContendersOptions): Promise<Contenders> {
  const local = options.withLocal ? [await startLocalFloor(context)] : [];
  const floor = await startHttp2Floor(context, options.floor ?? "spawn");
  const yonder = await startYonderContenders(context, options.reader);
  const remote = [floor.contender, ...yonder.contenders];
  const servers = new Map(yonder.contenders.map((contender) => [contender, yonder.serverPid]));
  servers.set(floor.contender, floor.serverPid);
  const ssh = await startPrivateSshd(context);
  if ("missing" in ssh) return { all: [...local, ...remote], notes: [`skipped ssh: ${ssh.missing}`], servers };
  const peer = await startContender(context, {
    role: "peer",
    who: "ssh, connection shared (ControlMaster)",
    module: new URL("../peers/ssh-client.ts", import.meta.url),
    settings: ssh,
  });
  return { all: [...local, ...remote, peer], notes: [], servers };
}

function startLocalFloor(context: BenchmarkContext): Promise<Contender> {
  return startContender(context, {
    role: "floor",
    who: "child_process.spawn in the caller itself",
    module: new URL("../floors/local-spawn.ts", import.meta.url),
  });
}

/** Starts such a floor. */
export function startHttp2Floor(context: BenchmarkContext, floor: Http2Floor): Promise<RunningFloor> {
  return startFloor(context, { ...http2Floors[floor], settings: { directory: context.directory } });
}

async function startYonderContenders(
  context: BenchmarkContext,
  reader: string,
): Promise<{ readonly contenders: readonly Contender[]; readonly serverPid: number }> {
  const { host, apiKey, pid: serverPid } = await startYonderServer(context);
  const contenders = [
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
  return { contenders, serverPid };
}
