import { createServer, request } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { onTestFinished } from "vitest";
import type { Certificate } from "./certificates.ts";

export interface DowngradeOptions {
  /** What clients speak to it. */
  readonly front: "HTTP/1.1" | "HTTP/2";
  /** Whether it hands an answer on only when it is complete. Default false. */
  readonly buffers?: boolean;
  /** With TLS, where it speaks HTTP/1.1. */
  readonly tls?: Certificate;
}

/** A proxy that speaks HTTP/1.1 to its server, and so knows no trailers; closed when the test is over. */
export async function startDowngradingProxy(
  target: string,
  { front, buffers = false, tls }: DowngradeOptions,
): Promise<string> {
  const forward = (
    incoming: IncomingMessage,
    answer: (status: number, headers: OutgoingHttpHeaders) => NodeJS.WritableStream,
  ) => {
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).filter(([name]) => !/^(:|host$|connection$|te$)/.test(name)),
    );
    const onward = request(new URL(incoming.url ?? "/", target), { method: incoming.method, headers, agent: false });
    onward.on("error", () => answer(502, {}).end());
    onward.on("response", (response) => {
      const { connection: _, "transfer-encoding": __, "keep-alive": ___, ...kept } = response.headers;
      const open = () => answer(response.statusCode ?? 502, kept);
      // One that goes away takes the other with it.
      response.on("error", () => {});
      if (!buffers) return void response.pipe(open());
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => open().end(Buffer.concat(chunks)));
    });
    incoming.on("close", () => incoming.complete || onward.destroy());
    incoming.pipe(onward);
    return onward;
  };
  const server: Server =
    front === "HTTP/1.1"
      ? (tls === undefined ? createServer() : createSecureServer(tls)).on(
          "request",
          (incoming: IncomingMessage, outgoing: ServerResponse) => {
            const onward = forward(incoming, (status, headers) => outgoing.writeHead(status, headers));
            outgoing.on("close", () => onward.destroy());
          },
        )
      : createHttp2Server((incoming, outgoing) => {
          const onward = forward(incoming as unknown as IncomingMessage, (status, headers) =>
            outgoing.writeHead(status, headers),
          );
          outgoing.on("close", () => onward.destroy());
        });
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
