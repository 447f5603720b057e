import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, createConnectRouter, createContextValues } from "@connectrpc/connect";
import { FileService } from "@yonder/proto";
import { readRequest, wireInterceptor, writeResponse } from "@yonder/wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRaw } from "../helpers/raw.ts";

let server: Server;
let port: number;

/** A server that leaves HTTP/1.1 to Node, and refuses what it has read one message of. */
beforeAll(async () => {
  const router = createConnectRouter({ interceptors: [wireInterceptor] });
  router.rpc(FileService.method.upload, async (requests) => {
    await requests[Symbol.asyncIterator]().next();
    throw new ConnectError("no more of this", Code.ResourceExhausted);
  });
  const [handler] = router.handlers;
  server = createServer((request, response) => {
    void (async () => {
      const values = createContextValues();
      const answer = await handler?.(readRequest(request, response, values, 1 << 20));
      if (answer !== undefined) await writeResponse(answer, response, values);
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  server.close();
  await once(server, "close");
});

test("a request of HTTP/1.1 that was answered before it was read does not hold up the next one", async () => {
  const { socket, received } = await openRaw(port);
  const body = Buffer.concat(Array.from({ length: 100 }, () => Buffer.concat([Buffer.from([0, 0, 1, 0, 0]), data])));
  const head =
    "POST /yonder.workspace.v1.FileService/Upload HTTP/1.1\r\nHost: localhost\r\n" +
    `Content-Type: application/connect+proto\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(head);
  socket.write(body.subarray(0, 1 << 20));
  await received(/no more of this/);
  socket.write(body.subarray(1 << 20));
  socket.write(head);
  socket.write(body);
  await received(/no more of this[^]*no more of this/);
  expect(socket.destroyed).toBe(false);
});

/** 64 KiB of a field that nobody knows. */
const data = Buffer.concat([Buffer.from([0xfa, 0x3f, 0xfb, 0xff, 0x03]), Buffer.alloc((1 << 16) - 5)]);

test.each([
  ["connect", "application/connect+proto", /"code":"deadline_exceeded"/],
  ["gRPC-Web", "application/grpc-web+proto", /grpc-status: 4/],
])("a stream over %s is answered at its deadline while half of a message is there", async (_name, type, answer) => {
  const { socket, received } = await openRaw(port);
  socket.write(
    "POST /yonder.workspace.v1.FileService/Upload HTTP/1.1\r\nHost: localhost\r\n" +
      "Grpc-Timeout: 50m\r\nConnect-Timeout-Ms: 50\r\n" +
      `Content-Type: ${type}\r\nContent-Length: 1000\r\n\r\n`,
  );
  socket.write(Buffer.from([0, 0, 0, 1, 0, 1]));
  await received(answer);
});
