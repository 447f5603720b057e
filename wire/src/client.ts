import type { Transport } from "@connectrpc/connect";
import { createNodeHttpClient } from "@connectrpc/connect-node";
import { validateReadWriteMaxBytes } from "@connectrpc/connect/protocol";
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcTransport } from "@connectrpc/connect/protocol-grpc";
import { createTransport as createGrpcWebTransport } from "@connectrpc/connect/protocol-grpc-web";
import type { Agent as HttpAgent } from "node:http";
import type { ClientHttp2Stream, ClientSessionRequestOptions, OutgoingHttpHeaders } from "node:http2";
import type { Agent as HttpsAgent } from "node:https";
import { clientInterceptor } from "./interceptor.ts";
import { Lane } from "./lane.ts";
import { intoLane, ontoWire } from "./lane-bodies.ts";
import { piecesOf, writePieces } from "./outgoing.ts";
import { readStream } from "./read-stream.ts";
import { reuseMemory } from "./reuse-memory.ts";

/** The HTTP/2 connections to one origin, as connect-node's client takes them. */
export interface Sessions {
  /** The origin that requests are addressed to. */
  authority: string;
  request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: Omit<ClientSessionRequestOptions, "signal">,
  ): Promise<ClientHttp2Stream>;
  notifyResponseByteRead(stream: ClientHttp2Stream): void;
}

export interface WireTransportOptions {
  readonly baseUrl: string;
  readonly protocol: "grpc" | "connect" | "grpc-web";
  /** What carries the calls: the HTTP/2 sessions, or the agent that has the HTTP/1.1 connections. */
  readonly http: { readonly sessions: Sessions } | { readonly agent: HttpAgent | HttpsAgent };
  /** The largest message that is read, in bytes. */
  readonly readMaxBytes: number;
}

/**
 * A transport as connect-node makes it, without compression, on whose streams large `bytes` values go to the wire
 * without a copy and come from it with one.
 */
export function createWireTransport({ baseUrl, protocol, http, readMaxBytes }: WireTransportOptions): Transport {
  const lanes = new WeakMap<Headers, Lane>();
  const interceptor = clientInterceptor((request) => {
    const lane = new Lane();
    lane.reuse = request.contextValues.get(reuseMemory);
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
  if (protocol === "grpc") return createGrpcTransport(options);
  return protocol === "connect" ? createConnectTransport(options) : createGrpcWebTransport(options);
}

/** connect-node's own HTTP client, with its calls' lanes at the two ends of it. */
function withLanes(
  http: WireTransportOptions["http"],
  laneOf: (header: Headers) => Lane | undefined,
  maxBytes: number,
): UniversalClientFn {
  if ("agent" in http) {
    const client = createNodeHttpClient({ httpVersion: "1.1", nodeOptions: { agent: http.agent } });
    return async (request) => {
      const lane = laneOf(request.header);
      if (lane === undefined) return await client(request);
      const response = await client({ ...request, ...(request.body && { body: ontoWire(request.body, lane) }) });
      return { ...response, body: intoLane(response.body, lane, maxBytes) };
    };
  }
  const { sessions } = http;
  const client = createNodeHttpClient({ httpVersion: "2", sessionProvider: () => sessions });
  return (request) => {
    const lane = laneOf(request.header);
    if (lane === undefined) return client(request);
    const sessionOfCall: Sessions = {
      authority: sessions.authority,
      request: async (...call) => adapt(await sessions.request(...call), lane, maxBytes),
      notifyResponseByteRead: (stream) => sessions.notifyResponseByteRead(stream),
    };
    return createNodeHttpClient({ httpVersion: "2", sessionProvider: () => sessionOfCall })(request);
  };
}

/** The stream as connect-node's client uses it: it writes envelopes one by one, and iterates over what comes. */
function adapt(stream: ClientHttp2Stream, lane: Lane, maxBytes: number): ClientHttp2Stream {
  const raw = { write: stream.write.bind(stream), cork: () => stream.cork(), uncork: () => stream.uncork() };
  const write = (envelope: Uint8Array, _encoding: string, done: (error?: Error | null) => void): boolean =>
    writePieces(raw, piecesOf(lane, envelope), done);
  const incoming = readStream(stream, lane, maxBytes);
  return Object.assign(stream, { write, [Symbol.asyncIterator]: () => incoming[Symbol.asyncIterator]() });
}
