import { Code, ConnectError } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { createWireTransport } from "@yonder/wire";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { dial } from "./dial.ts";
import type { DialOptions } from "./dial.ts";
import { Http2Sessions } from "./http2-sessions.ts";

/** How calls are put on the wire. */
export type Protocol = "grpc" | "connect" | "grpc-web";

/** What carries them. */
export type HttpVersion = "1.1" | "2";

/** The ways to a server. */
export interface Transports {
  /** For calls with one reply. */
  readonly calls: Transport;
  /** For replies that stream: on connections of their own, so that bulk output does not hold up a signal behind it. */
  readonly streams: Transport;
  /** Ends the connections and what runs on them. */
  abort(): void;
}

export interface TransportOptions extends DialOptions {
  readonly protocol: Protocol;
  readonly httpVersion: HttpVersion;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
}

/** Far above what a server sends in one message; bounds what a broken one can make us hold. */
const readMaxBytes = 64 << 20;

export function openTransports(options: TransportOptions): Transports {
  return options.httpVersion === "2" ? openHttp2(options) : openHttp1(options);
}

function openHttp2(options: TransportOptions): Transports {
  const { pingIntervalMs, pingTimeoutMs } = options;
  const authority = new URL(options.address.baseUrl).origin;
  const open = () => new Http2Sessions({ authority, dial: () => dial(options, "h2"), pingIntervalMs, pingTimeoutMs });
  const [calls, streams] = [open(), open()];
  const transport = (sessions: Http2Sessions): Transport =>
    createWireTransport({ ...options, baseUrl: options.address.baseUrl, http: { sessions }, readMaxBytes });
  return {
    calls: transport(calls),
    streams: transport(streams),
    abort() {
      const reason = new ConnectError("the connection was closed by this client", Code.Canceled);
      calls.abort(reason);
      streams.abort(reason);
    },
  };
}

function openHttp1(options: TransportOptions): Transports {
  const agent = options.address.secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  agent.createConnection = () => dial(options, "http/1.1");
  const { baseUrl } = options.address;
  // One connection a call: no call waits behind another.
  const transport = createWireTransport({ ...options, baseUrl, http: { agent }, readMaxBytes });
  return { calls: transport, streams: transport, abort: () => agent.destroy() };
}
