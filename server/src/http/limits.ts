import type { ServerOptions } from "node:http";

/** How long the server's connections may take. */
export interface ConnectionLimits {
  /** How often each HTTP/2 peer is asked whether it lives. */
  readonly pingIntervalMs: number;
  /** How long it may stay silent after that. */
  readonly pingTimeoutMs: number;
  /** How long a client may take for a connection's first bytes, for the TLS handshake and for a request's headers, each. */
  readonly headersTimeoutMs: number;
  /** How long an idle HTTP/1.1 connection is kept. Longer than common load balancers do, so that they close it first. */
  readonly keepAliveTimeoutMs: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  pingIntervalMs: 20_000,
  pingTimeoutMs: 40_000,
  headersTimeoutMs: 20_000,
  keepAliveTimeoutMs: 620_000,
};

/** The limits as Node's HTTP/1.1 server takes them. */
export function http1Options({ headersTimeoutMs, keepAliveTimeoutMs }: ConnectionLimits): ServerOptions {
  return {
    headersTimeout: headersTimeoutMs,
    // Node's five minutes would end a long upload, which is one request.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(5_000, headersTimeoutMs / 2),
  };
}
