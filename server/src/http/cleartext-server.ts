import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Socket } from "node:net";
import { http2Options, keepSessions } from "./http2-sessions.ts";
import type { EdgeServer } from "./edge-server.ts";
import { http1Options } from "./limits.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { NodeHandler } from "./node-types.ts";
import { takeListener } from "./take-listener.ts";

/**
 * HTTP/1.1 and HTTP/2 with prior knowledge in cleartext on one port, told apart by the first bytes.
 *
 * The HTTP/1.1 server is the one that listens, with its own connection listener put behind ours: one that never listens
 * enforces none of its timeouts.
 */
export function createCleartextServer(handler: NodeHandler, limits: ConnectionLimits): EdgeServer {
  const http2 = createHttp2Server(http2Options, handler);
  const sessions = keepSessions(http2, limits);
  const http1 = createHttp1Server(http1Options(limits), handler);
  const toHttp1 = takeListener(http1, "connection");
  http1.on("connection", (socket: Socket) => {
    tellApart(socket, limits.headersTimeoutMs, (isHttp2) => {
      if (!isHttp2) return toHttp1(socket);
      // HTTP/1.1's server leaves a connection open that its peer has ended; a session would not learn of it.
      socket.allowHalfOpen = false;
      http2.emit("connection", socket);
    });
  });
  return { server: http1, sessions };
}

/** Reads as much as it takes to know, puts it back, and says what it is. The preface may come byte by byte. */
function tellApart(socket: Socket, timeoutMs: number, decide: (isHttp2: boolean) => void): void {
  let head = Buffer.alloc(0);
  const abandon = (): void => {
    socket.destroy();
  };
  const timer = setTimeout(abandon, timeoutMs);
  const onClose = (): void => clearTimeout(timer);
  const onReadable = (): void => {
    for (let chunk: Buffer | null; (chunk = socket.read() as Buffer | null) !== null;) {
      head = Buffer.concat([head, chunk]);
      const length = Math.min(head.length, preface.length);
      const isHttp2 = head.subarray(0, length).equals(preface.subarray(0, length));
      if (isHttp2 && length < preface.length) continue;
      clearTimeout(timer);
      socket.off("readable", onReadable).off("error", abandon).off("end", abandon).off("close", onClose);
      socket.unshift(head);
      decide(isHttp2);
      return;
    }
  };
  socket.on("readable", onReadable).on("error", abandon).on("end", abandon).on("close", onClose);
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
