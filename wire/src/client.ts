import type { Transport } from "@connectrpc/connect";
import { createNodeHttpClient } from "@connectrpc/connect-node";
import { validateReadWriteMaxBytes } from "@connectrpc/connect/protocol";
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcWebTransport } from "@connectrpc/connect/protocol-grpc-web";
import type { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import { createGrpcTransport } from "./grpc-transport.ts";
import { clientInterceptor } from "./interceptor.ts";
import { Lane } from "./lane.ts";
import { intoLane, ontoWire } from "./lane-bodies.ts";
import { reuseMemory } from "./reuse-memory.ts";
import type { Sessions } from "./sessions.ts";

export interface WireTransportOptions {
  readonly baseUrl: string;
  readonly protocol: "grpc" | "connect" | "grpc-web";
  /** What carries the calls: the HTTP/2 sessions, or the agent that has the HTTP/1.1 connections. */
  readonly http: { readonly sessions: Sessions } | { readonly agent: HttpAgent | HttpsAgent };
  /** The largest message that is read, in bytes. */
  readonly readMaxBytes: number;
}

/**
 * A transport without compression, on whose streams large `bytes` values go to the wire without a copy and come from it
 * with one: gRPC over HTTP/2 by hand, all else as connect-node makes it.
 */
export function createWireTransport({ baseUrl, protocol, http, readMaxBytes }: WireTransportOptions): Transport {
  if (protocol === "grpc") {
    if ("agent" in http) throw new TypeError("gRPC needs HTTP/2");
    return createGrpcTransport({ baseUrl, sessions: http.sessions, readMaxBytes });
  }
  const lanes = new WeakMap<Headers, Lane>();
  const interceptor = clientInterceptor((request) => {
    const lane = new Lane();
    lane.held = request.contextValues.get(reuseMemory);
    lanes.set(request.header, lane);
    return lane;
  });
  const options = {
    baseUrl,
    httpClient: withLanes(http, (header) => lanes.get(header), readMaxBytes),
    useBinaryFormat: true,
    interceptors: [interceptor],
    acceptCompression: [],
    sendCompression: null,
    ...validateReadWriteMaxBytes(readMaxBytes, undefined, undefined),
  };
  return protocol === "connect" ? createConnectTransport(options) : createGrpcWebTransport(options);
}

/** connect-node's own HTTP client, with its calls' lanes at the two ends of it. */
function withLanes(
  http: WireTransportOptions["http"],
  laneOf: (header: Headers) => Lane | undefined,
  maxBytes: number,
): UniversalClientFn {
  const client = createNodeHttpClient(
    "agent" in http
      ? { httpVersion: "1.1", nodeOptions: { agent: http.agent } }
      : { httpVersion: "2", sessionProvider: () => http.sessions },
  );
  return async (request) => {
    const lane = laneOf(request.header);
    if (lane === undefined) return await client(request);
    const response = await client({ ...request, ...(request.body && { body: ontoWire(request.body, lane) }) });
    return { ...response, body: intoLane(response.body, lane, maxBytes) };
  };
}
