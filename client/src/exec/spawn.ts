import { ExecService } from "@yonder/proto";
import type { Exec } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { throwIfAborted } from "../connection/retry.ts";
import { ServerError } from "../errors.ts";
import { toExecInfo } from "./from-wire.ts";
import type { ExecHandle } from "./handle.ts";
import { checkNames, spawnOptions } from "./known-options.ts";
import { LiveExecHandle } from "./live-handle.ts";
import type { Command, SpawnOptions } from "./options.ts";
import type { ExecInfo } from "./results.ts";
import { feedStdin, splitStdin } from "./stdin-feed.ts";
import { checkedKillGrace, toExecRequest } from "./to-wire.ts";
import type { ExecRequestInit, RequestContext } from "./to-wire.ts";

/** How long a start whose caller gave up may still take: what it starts then is ended. */
const abortedStartMs = 10_000;

/** Starts a command and returns its handle; nothing of it is read. */
export async function spawn(
  connection: Connection,
  context: RequestContext,
  command: Command,
  options: SpawnOptions = {},
): Promise<ExecHandle> {
  checkNames(options, spawnOptions);
  const { signal } = options;
  throwIfAborted(signal);
  const request = toExecRequest(command, options, context, 0);
  const { first, rest } = stdinOf(options);
  if (first) request.stdin = first;
  const killGraceMs = options.killGraceMs ?? context.defaults.killGraceMs;
  const info = await start(connection, request, signal);
  const handle = new LiveExecHandle(connection, { info, from: 0, killGraceMs });
  if (signal) {
    handle.endOn(signal);
    if (signal.aborted) await handle.wait();
  }
  // Whoever waits for the command learns of a connection that is lost.
  if (rest) feedStdin(handle.stdin, rest).catch(() => {});
  return handle;
}

async function start(
  connection: Connection,
  exec: ExecRequestInit,
  signal: AbortSignal | undefined,
): Promise<ExecInfo> {
  const giveUp = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  // What is on its way may be started all the same: its answer is waited for, to end it.
  const onAbort = () => (timer = setTimeout(() => giveUp.abort(signal?.reason), abortedStartMs));
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const subject = { execId: exec.execId, mayHaveRun: false };
    const reply = await connection.call(ExecService.method.startExec, { exec }, { signal: giveUp.signal, subject });
    return infoOf(reply.exec, exec.execId, connection);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function stdinOf({ stdin = true, terminal }: SpawnOptions) {
  if (typeof stdin !== "boolean") {
    const { first, rest } = splitStdin(stdin);
    return { first, rest: rest instanceof Uint8Array ? rest : undefined };
  }
  // A terminal's is open in any case.
  return { first: stdin && !terminal ? { data: new Uint8Array(0), eof: false } : undefined, rest: undefined };
}

/** The handle of a command that was started before. */
export async function attach(
  connection: Connection,
  context: RequestContext,
  execId: string,
  cursor: number | undefined,
): Promise<ExecHandle> {
  const { killGraceMs } = context.defaults;
  if (killGraceMs !== undefined) checkedKillGrace(killGraceMs);
  const subject = { execId, mayHaveRun: true };
  const { exec } = await connection.call(ExecService.method.getExec, { execId }, { subject });
  const info = infoOf(exec, execId, connection);
  const from = cursor ?? (info.terminal ? "default" : 0);
  return new LiveExecHandle(connection, { info, from, killGraceMs });
}

function infoOf(exec: Exec | undefined, execId: string, connection: Connection): ExecInfo {
  if (!exec) throw new ServerError(`the server said nothing about ${execId}`, { reason: "UNKNOWN", subject: execId });
  return toExecInfo(exec, connection.peer?.platform ?? "");
}
