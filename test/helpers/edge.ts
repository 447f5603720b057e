import { randomUUID } from "node:crypto";
import type { ConnectRouter, ServiceImpl, Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import type { ConnectTransportOptions } from "@connectrpc/connect-node";
import { ExecService, WorkspaceService } from "@yonder/proto";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { createApp } from "../../server/src/app.ts";
import type { App } from "../../server/src/app.ts";
import { resolveConfig } from "../../server/src/config/server-config.ts";
import type { GivenSettings } from "../../server/src/config/read-settings.ts";
import { openEdge } from "../../server/src/http/edge.ts";
import type { Edge } from "../../server/src/http/edge.ts";
import type { ConnectionLimits } from "../../server/src/http/limits.ts";
import { Activity } from "../../server/src/rpc/activity.ts";

export interface TestEdgeOptions {
  readonly settings?: GivenSettings;
  readonly apiKeys?: readonly string[];
  readonly connectionLimits?: Partial<ConnectionLimits>;
  readonly exec?: Partial<ServiceImpl<typeof ExecService>>;
}

export interface TestEdge {
  readonly app: App;
  readonly edge: Edge;
  readonly url: string;
  readonly port: number;
  readonly workspaceId: string;
  /** The log so far, a parsed line each. */
  readonly log: Record<string, unknown>[];
}

/** The server's edge on a free port over an ExecService that is made up; closed when the test is over. */
export async function openTestEdge(options: TestEdgeOptions = {}): Promise<TestEdge> {
  const log: Record<string, unknown>[] = [];
  const logger = pino({ level: "debug" }, { write: (line: string) => void log.push(JSON.parse(line)) });
  const config = await resolveConfig({ port: 0, ...options.settings });
  const edge = await openEdge({
    config,
    apiKeys: options.apiKeys ?? [],
    logger,
    ...(options.connectionLimits === undefined ? {} : { connectionLimits: options.connectionLimits }),
  });
  const identity = { workspaceId: randomUUID(), instanceId: randomUUID() };
  const app = createApp({
    identity,
    activity: new Activity(),
    maxMessageBytes: config.limits.maxMessageBytes,
    logger,
    routes: (router: ConnectRouter) =>
      void router.service(ExecService, options.exec ?? {}).service(WorkspaceService, { getInfo: () => identity }),
  });
  edge.serve(app);
  onTestFinished(() => edge.close());
  const port = typeof edge.address === "string" ? 0 : edge.address.port;
  return { app, edge, url: edge.url, port, workspaceId: identity.workspaceId, log };
}

/** Each way in which connect-node can call, by name. */
export const transports: Record<string, (baseUrl: string, options?: Partial<ConnectTransportOptions>) => Transport> = {
  "grpc over HTTP/2": (baseUrl, options) => createGrpcTransport({ baseUrl, ...withoutVersion(options) }),
  "grpc-web over HTTP/1.1": (baseUrl, options) => createGrpcWebTransport({ ...options, baseUrl, httpVersion: "1.1" }),
  "grpc-web over HTTP/2": (baseUrl, options) => createGrpcWebTransport({ ...options, baseUrl, httpVersion: "2" }),
  "connect over HTTP/1.1": (baseUrl, options) => createConnectTransport({ ...options, baseUrl, httpVersion: "1.1" }),
  "connect over HTTP/2": (baseUrl, options) => createConnectTransport({ ...options, baseUrl, httpVersion: "2" }),
};

function withoutVersion(options: Partial<ConnectTransportOptions> = {}): object {
  const { httpVersion: _, ...rest } = options;
  return rest;
}
