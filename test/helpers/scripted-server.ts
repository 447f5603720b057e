import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import type { Code, ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import {
  EndReason,
  ErrorDetailSchema,
  ErrorReason,
  ExecService,
  ExecState,
  OutputStream,
  WorkspaceService,
} from "@yonder/proto";
import type { ExecEventSchema, ExecSchema, GetInfoResponseSchema } from "@yonder/proto";
import { onTestFinished } from "vitest";
import { createApp } from "../../server/src/app.ts";
import { resolveConfig } from "../../server/src/config/server-config.ts";
import { openEdge } from "../../server/src/http/edge.ts";
import { silentLogger } from "../../server/src/logging/logger.ts";
import { Activity } from "../../server/src/rpc/activity.ts";

export interface ScriptedServerOptions {
  /** What the calls answer that a test is about; the others are not there. */
  readonly exec?: Partial<ServiceImpl<typeof ExecService>>;
  /** What GetInfo tells of how often a stream is heard of. Default 10 s. */
  readonly heartbeatMs?: number;
  readonly workspaceId?: string;
  readonly apiKeys?: readonly string[];
  /** What GetInfo tells otherwise than other scripted servers. */
  readonly info?: MessageInitShape<typeof GetInfoResponseSchema>;
}

export interface ScriptedServer {
  readonly url: string;
  readonly workspaceId: string;
}

/** A server on a free port whose ExecService does what a test says; closed when the test is over. */
export async function openScriptedServer(options: ScriptedServerOptions = {}): Promise<ScriptedServer> {
  const config = await resolveConfig({ port: 0 });
  const logger = silentLogger();
  const edge = await openEdge({ config, apiKeys: options.apiKeys ?? [], logger });
  onTestFinished(() => edge.close());
  const identity = { workspaceId: options.workspaceId ?? randomUUID(), instanceId: randomUUID() };
  const limits = { heartbeatInterval: durationFromMs(options.heartbeatMs ?? 10_000) };
  const basics = { ...identity, version: "9.9.9", platform: "linux", workingDirectory: "/srv", limits };
  const info = { ...basics, ...options.info } as MessageInitShape<typeof GetInfoResponseSchema>;
  const routes = (router: ConnectRouter): void => {
    router.service(ExecService, options.exec ?? {}).service(WorkspaceService, { getInfo: () => info });
  };
  const { maxMessageBytes } = config.limits;
  edge.serve(createApp({ identity, activity: new Activity(), maxMessageBytes, routes }));
  return { url: edge.url, workspaceId: identity.workspaceId };
}

type Event = { event: MessageInitShape<typeof ExecEventSchema> };

/** The events of a stream, in few words. */
export const say = {
  started: (execId: string): Event => ({ event: { event: { case: "started", value: { execId, pid: 42 } } } }),
  output: (cursor: number, text: string | Uint8Array, stream: "STDOUT" | "STDERR" = "STDOUT"): Event => {
    const data = typeof text === "string" ? Buffer.from(text) : text;
    const value = { cursor: BigInt(cursor), stream: OutputStream[stream], streamOffset: BigInt(cursor), data };
    return { event: { event: { case: "output", value } } };
  },
  lost: (beginCursor: number, endCursor: number, stdoutBytes: number): Event => {
    const value = {
      beginCursor: BigInt(beginCursor),
      endCursor: BigInt(endCursor),
      stdoutBytes: BigInt(stdoutBytes),
      stderrBytes: BigInt(endCursor - beginCursor - stdoutBytes),
    };
    return { event: { event: { case: "lost", value } } };
  },
  heartbeat: (cursor: number): Event => ({
    event: { event: { case: "heartbeat", value: { cursor: BigInt(cursor) } } },
  }),
  ended: (
    reason: EndReason = EndReason.EXITED,
    rest: { exitCode?: number; signal?: string } = { exitCode: 0 },
  ): Event => ({
    event: { event: { case: "ended", value: { reason, duration: durationFromMs(1), ...rest } } },
  }),
};

/** An error as the server sends it. */
export function refusal(
  code: Code,
  reason: keyof typeof ErrorReason,
  rest: { expectedOffset?: bigint } = {},
): ConnectError {
  const value = { reason: ErrorReason[reason], subject: "the subject", ...rest };
  return new ConnectError("the message", code, undefined, [{ desc: ErrorDetailSchema, value }]);
}

/** An exec as GetExec and StartExec tell it. */
export function execRecord(execId: string, ended = false): MessageInitShape<typeof ExecSchema> {
  return {
    execId,
    pid: 42,
    program: { case: "command", value: "made up" },
    state: ended ? ExecState.ENDED : ExecState.RUNNING,
    ...(ended && { ended: { reason: EndReason.EXITED, exitCode: 0, duration: durationFromMs(1) } }),
  };
}
