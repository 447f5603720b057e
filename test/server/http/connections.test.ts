import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { openTestEdge } from "../../helpers/edge.ts";
import { openRaw } from "../../helpers/raw.ts";

const getInfo = "/yonder.workspace.v1.WorkspaceService/GetInfo";
const request = `POST ${getInfo} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;

test("an HTTP/2 preface is recognised when it comes byte by byte", async () => {
  const { port } = await openTestEdge();
  const socket = connectTcp(port, "127.0.0.1").setNoDelay(true);
  let written = 0;
  // The first 40 bytes, preface and all, one a packet.
  const trickle = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const single = Math.max(0, Math.min(chunk.length, 40 - written));
      written += chunk.length;
      void (async () => {
        for (const byte of chunk.subarray(0, single)) {
          socket.write(Buffer.of(byte));
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        if (single < chunk.length) socket.write(chunk.subarray(single));
        done();
      })();
    },
    final: (done) => void socket.end(done),
  });
  socket.on("data", (chunk) => trickle.push(chunk));
  const session = connectHttp2(`http://127.0.0.1:${port}`, { createConnection: () => trickle });
  const stream = session.request({ ":method": "POST", ":path": getInfo, "content-type": "application/json" });
  stream.end("{}");
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  expect(headers[":status"]).toBe(200);
  session.destroy();
  socket.destroy();
});

test("an HTTP/1.1 request is served when it comes byte by byte", async () => {
  const { port } = await openTestEdge();
  const { socket, received } = await openRaw(port);
  socket.setNoDelay(true);
  for (const byte of Buffer.from(request)) {
    socket.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await received(/instanceId/)).toMatch(/^HTTP\/1\.1 200/);
});

test("two HTTP/1.1 requests in one packet are both served", async () => {
  const { port } = await openTestEdge();
  const { socket, received } = await openRaw(port);
  socket.write(request + request);
  expect(await received(/instanceId[^]*instanceId/)).toMatch(/^HTTP\/1\.1 200[^]*HTTP\/1\.1 200/);
});

const hasty = { connectionLimits: { headersTimeoutMs: 200 } };

test.each([
  ["says nothing", ""],
  ["stops within the HTTP/2 preface", "PRI * HTTP/2.0\r\n"],
  ["stops within the headers", "POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "],
])("a connection that %s is closed", async (_what, sent) => {
  const { port } = await openTestEdge(hasty);
  const { socket, closed } = await openRaw(port);
  socket.write(sent);
  await closed;
});

test("a connection that sends its headers byte by byte is closed", async () => {
  const { port } = await openTestEdge(hasty);
  const { socket, closed, text } = await openRaw(port);
  socket.write("POST / HTTP/1.1\r\nHost: localhost\r\n");
  const timer = setInterval(() => socket.write("X-Slow: 1\r\n"), 20);
  await closed;
  clearInterval(timer);
  expect(text()).toMatch(/^HTTP\/1\.1 408/);
});

test("a body may take longer than the headers' timeout", async () => {
  const { port } = await openTestEdge(hasty);
  const { socket, received } = await openRaw(port);
  socket.write(request.slice(0, -1));
  // Well past the timeout, and past the checks that follow it.
  await new Promise((resolve) => setTimeout(resolve, 800));
  socket.write("}");
  expect(await received(/instanceId/)).toMatch(/^HTTP\/1\.1 200/);
});

test("an upgrade to h2c is passed over and the request served as HTTP/1.1", async () => {
  const { port } = await openTestEdge();
  const { socket, received } = await openRaw(port);
  const upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
  socket.write(request.replace("\r\n\r\n", `\r\n${upgrade}\r\n`));
  expect(await received(/instanceId/)).toMatch(/^HTTP\/1\.1 200/);
});

const unknownType = request.replace("application/json", "text/plain");

test.each([
  ["a path that is no call", "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 404],
  ["a request without a host", `POST ${getInfo} HTTP/1.0\r\nContent-Length: 0\r\n\r\n`, 400],
  ["a host that is none", `POST ${getInfo} HTTP/1.1\r\nHost: [\r\nContent-Length: 0\r\n\r\n`, 400],
  ["an unknown content type", unknownType, 415],
  ["what is no HTTP", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\r\n\r\n", 400],
])("%s is refused and the server goes on", async (_what, sent, status) => {
  const apiKey = "a-key-of-this-test";
  const { port } = await openTestEdge({ apiKeys: [apiKey] });
  const refused = await openRaw(port);
  refused.socket.write(sent);
  expect(await refused.received(/\r\n\r\n/)).toMatch(new RegExp(`^HTTP/1\\.1 ${status}`));
  const next = await openRaw(port);
  next.socket.write(request.replace("\r\n\r\n", `\r\nX-API-Key: ${apiKey}\r\n\r\n`));
  await next.received(/instanceId/);
});

test("a connection over the limit is refused, and the ones before it go on", async () => {
  const { port } = await openTestEdge({ settings: { maxConnections: 1 } });
  const first = await openRaw(port);
  first.socket.write(request);
  await first.received(/instanceId/);
  const second = await openRaw(port);
  await second.closed;
  first.socket.write(request);
  await first.received(/instanceId[^]*instanceId/);
});
