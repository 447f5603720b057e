import { createSecureServer } from "node:http2";
import type { SecureContextOptions } from "node:tls";
import { http2Options, keepSessions } from "./http2-sessions.ts";
import type { EdgeServer } from "./edge-server.ts";
import { http1Options } from "./limits.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { NodeHandler } from "./node-types.ts";

export interface TlsServer extends EdgeServer {
  /** Shows another certificate from the next handshake on; connections that stand are not touched. */
  readonly renew: (context: SecureContextOptions) => void;
}

/** HTTP/1.1 and HTTP/2 over TLS on one port, chosen by ALPN. */
export function createTlsServer(
  handler: NodeHandler,
  limits: ConnectionLimits,
  context: SecureContextOptions,
  requireClientCertificate: boolean,
): TlsServer {
  const server = createSecureServer(
    {
      ...http2Options,
      ...context,
      allowHTTP1: true,
      requestCert: requireClientCertificate,
      rejectUnauthorized: requireClientCertificate,
      handshakeTimeout: limits.headersTimeoutMs,
      ...http1Options(limits),
    },
    handler,
  );
  const sessions = keepSessions(server, limits);
  return { server, sessions, renew: (renewed) => server.setSecureContext(renewed) };
}
