import { randomUUID } from "node:crypto";
import type { ConnectRouter, ServiceImpl, Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import type { ConnectTransportOptions, GrpcTransportOptions } from "@connectrpc/connect-node";
import { ExecService, FileService, WorkspaceService } from "@yonder/proto";
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
  readonly files?: Partial<ServiceImpl<typeof FileService>>;
}

export interface TestEdge {
  readonly app: App;
  readonly edge: Edge;
  readonly url: string;
  readonly port: number;
  readonly workspaceId: string;
  readonly activity: Activity;
  /** The log so far, a parsed line each. */
  readonly log: Record<string, unknown>[];
}

/** The server's edge on a free port over services that are made up; closed when the test is over. */
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
  const activity = new Activity();
  const app = createApp({
    identity,
    activity,
    maxMessageBytes: config.limits.maxMessageBytes,
    onInternalError: (errorId, err) => logger.error({ errorId, err }, "a call failed"),
    routes: (router: ConnectRouter) =>
      void router
        .service(ExecService, options.exec ?? {})
        .service(FileService, options.files ?? {})
        .service(WorkspaceService, { getInfo: () => identity }),
  });
  edge.serve(app);
  onTestFinished(() => edge.close());
  const port = typeof edge.address === "string" ? 0 : edge.address.port;
  return { app, edge, url: edge.url, port, workspaceId: identity.workspaceId, activity, log };
}

type TransportOptions = Omit<GrpcTransportOptions, "baseUrl">;

/** Each way in which connect-node can call, by name. */
export const transports = {
  "grpc over HTTP/2": (baseUrl: string, options?: TransportOptions): Transport =>
    createGrpcTransport({ ...options, baseUrl }),
  "grpc-web over HTTP/1.1": (baseUrl: string, options?: TransportOptions): Transport =>
    createGrpcWebTransport(over("1.1", baseUrl, options)),
  "grpc-web over HTTP/2": (baseUrl: string, options?: TransportOptions): Transport =>
    createGrpcWebTransport(over("2", baseUrl, options)),
  "connect over HTTP/1.1": (baseUrl: string, options?: TransportOptions): Transport =>
    createConnectTransport(over("1.1", baseUrl, options)),
  "connect over HTTP/2": (baseUrl: string, options?: TransportOptions): Transport =>
    createConnectTransport(over("2", baseUrl, options)),
};

function over(httpVersion: "1.1" | "2", baseUrl: string, options: TransportOptions = {}): ConnectTransportOptions {
  return { ...options, baseUrl, httpVersion } as ConnectTransportOptions;
}
