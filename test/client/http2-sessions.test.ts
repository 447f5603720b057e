import { Code, ConnectError } from "@connectrpc/connect";
import { once } from "node:events";
import type { EventEmitter } from "node:events";
import { constants, createServer } from "node:http2";
import type { ClientHttp2Stream } from "node:http2";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Http2Sessions } from "../../client/src/connection/http2-sessions.ts";
import { startProxy } from "../helpers/proxy.ts";

test("what is tried after a silent stream does not wait on its connection", async () => {
  const { proxy, sessions } = await start({ pingTimeoutMs: 60_000 });
  const silent = await request(sessions);
  await once(silent, "response");
  proxy.freeze();
  silent.close(constants.NGHTTP2_INTERNAL_ERROR);
  await closed(silent);
  proxy.thawNew();

  const next = await request(sessions);
  const [headers] = (await once(next, "response")) as [{ ":status": number }];
  expect(headers[":status"]).toBe(200);
  expect(proxy.connections).toBe(2);
});

test("a connection whose stream was given up is used again once it is heard of", async () => {
  const { proxy, sessions } = await start({ pingTimeoutMs: 60_000 });
  const first = await request(sessions);
  await once(first, "response");
  const { session } = first;
  first.close(constants.NGHTTP2_INTERNAL_ERROR);
  await closed(first);
  // It was asked at once; a later ping is answered after that.
  await new Promise((resolve) => session?.ping(resolve));

  const next = await request(sessions);
  await once(next, "response");
  expect(proxy.connections).toBe(1);
});

test("a connection whose stream was given up is ended where it does not answer", async () => {
  const { proxy, sessions } = await start({ pingTimeoutMs: 50 });
  const silent = await request(sessions);
  await once(silent, "response");
  const { session } = silent;
  proxy.freeze();
  silent.close(constants.NGHTTP2_INTERNAL_ERROR);
  if (session?.destroyed === false) await closed(session);
  expect(session?.destroyed).toBe(true);
});

test("an end that comes in the turn in which a connection comes about is no crash", async () => {
  const { sessions } = await start({
    pingTimeoutMs: 60_000,
    // Behind HTTP/2's own listener, and before what that one does next.
    onDial: (socket) => queueMicrotask(() => socket.once("connect", () => sessions.abort(over))),
  });
  await expect(request(sessions)).rejects.toBeDefined();
});

const over = new ConnectError("over", Code.Canceled);

async function start(options: { pingTimeoutMs: number; onDial?: (socket: Socket) => void }) {
  const server = createServer();
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await startProxy({ target: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const { hostname, port } = new URL(proxy.url);
  const sessions = new Http2Sessions({
    authority: proxy.url,
    dial() {
      const socket = connect({ host: hostname, port: Number(port) });
      options.onDial?.(socket);
      return socket;
    },
    // Never within a test.
    pingIntervalMs: 600_000,
    pingTimeoutMs: options.pingTimeoutMs,
  });
  onTestFinished(async () => {
    sessions.abort(new ConnectError("the test is over", Code.Canceled));
    await proxy[Symbol.asyncDispose]();
    server.close();
  });
  return { proxy, sessions };
}

function closed(emitter: EventEmitter): Promise<unknown> {
  return new Promise((resolve) => emitter.once("close", resolve));
}

async function request(sessions: Http2Sessions): Promise<ClientHttp2Stream> {
  const stream = await sessions.request("POST", "/", {}, {});
  stream.on("error", () => {});
  stream.resume();
  return stream;
}
