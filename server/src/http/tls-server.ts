import { createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { takeListener } from "./take-listener.ts";
import type { EdgeServer } from "./edge-server.ts";
import { http2Options, keepSessions } from "./http2-sessions.ts";
import { http1Options } from "./limits.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { NodeHandler } from "./node-types.ts";

export interface TlsServer extends EdgeServer {
  /** Shows another certificate from the next handshake on; connections that stand are not touched. */
  readonly renew: (context: SecureContextOptions) => void;
}

/**
 * HTTP/1.1 and HTTP/2 over TLS on one port, chosen by ALPN. As in the cleartext server it is the HTTP/1.1 server that
 * listens: behind `http2.createSecureServer` its timeouts are dead before Node 24.
 */
export function createTlsServer(
  handler: NodeHandler,
  limits: ConnectionLimits,
  context: SecureContextOptions,
  requireClientCertificate: boolean,
): TlsServer {
  const http2 = createHttp2Server(http2Options, handler);
  const sessions = keepSessions(http2, limits);
  const https = createHttpsServer(
    {
      ...http1Options(limits),
      ...context,
      ALPNProtocols: ["h2", "http/1.1"],
      requestCert: requireClientCertificate,
      rejectUnauthorized: requireClientCertificate,
      handshakeTimeout: limits.headersTimeoutMs,
    },
    handler,
  );
  const toHttp1 = takeListener(https, "secureConnection");
  https.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol === "h2") http2.emit("connection", socket);
    else toHttp1(socket);
  });
  return { server: https, sessions, renew: (renewed) => https.setSecureContext(renewed) };
}
