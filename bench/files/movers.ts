import type { BenchmarkContext, Row, Target } from "../kit/benchmark.ts";
import type { Contender } from "../kit/contender.ts";
import { startContender } from "../kit/contender.ts";
import { startFloor } from "../kit/floor.ts";
import type { Program } from "../kit/program.ts";
import { longLine } from "../kit/wide-http2.ts";
import { startYonderServer } from "../kit/yonder-server.ts";
import type { YonderServer } from "../kit/yonder-server.ts";
import { startDelayLine } from "./delay-line.ts";

export type Verb = "put" | "get";

/** Somebody who can move files, what he has to be told to do it, and what he is compared with. */
export interface Mover extends Pick<Row, "floor" | "target"> {
  readonly contender: Contender;
  /** The process at the other end; undefined where none of ours is. */
  readonly serverPid?: number;
  readonly program: (verb: Verb, source: string, destination: string) => Program;
}

/** Who moves a file in the way `program` says, as ours and the floors do. */
export function plainProgram(verb: string, source: string, destination: string): Program {
  return { args: [verb, source, destination] };
}

/** A floor of two processes, behind a delay where there is one. */
export async function startFloorMover(
  context: BenchmarkContext,
  { who, file, delayMs = 0 }: { who: string; file: string; delayMs?: number },
): Promise<Mover> {
  const module = new URL(`../floors/${file}`, import.meta.url);
  const through = async (port: number): Promise<number> =>
    Number(new URL(await behindDelay(context, `http://127.0.0.1:${port}`, delayMs)).port);
  return {
    ...(await startFloor(context, { who, module, through, settings: delayMs > 0 ? longLine : {} })),
    program: plainProgram,
  };
}

/** How one of our rows differs from the others. */
export interface YonderOptions {
  readonly who: string;
  /** Its program in bench/clients. Default: the TypeScript client. */
  readonly file?: string;
  readonly settings?: object;
  readonly target?: Target | undefined;
  readonly floor?: string;
}

/** A client of our server. */
export async function startYonderMover(
  context: BenchmarkContext,
  { host, apiKey, pid }: Pick<YonderServer, "host" | "apiKey" | "pid">,
  { who, file = "files-client.ts", settings = {}, target, floor }: YonderOptions,
): Promise<Mover> {
  const module = new URL(`../clients/${file}`, import.meta.url);
  const contender = await startContender(context, {
    role: "yonder",
    who,
    module,
    settings: { host, apiKey, ...settings },
  });
  return { contender, serverPid: pid, program: plainProgram, target, floor };
}

/** Our server, behind a delay where there is one. */
export async function startServer(context: BenchmarkContext, delayMs = 0): Promise<YonderServer> {
  const server = await startYonderServer(context);
  return { ...server, host: await behindDelay(context, server.host, delayMs) };
}

async function behindDelay(context: BenchmarkContext, target: string, delayMs: number): Promise<string> {
  if (delayMs === 0) return target;
  return context.scope.use(await startDelayLine(target, delayMs)).url;
}
