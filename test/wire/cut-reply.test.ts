import { once } from "node:events";
import { Agent, createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { DownloadResponseSchema, FileService } from "@yonder/proto";
import type { DownloadResponse } from "@yonder/proto";
import { createWireTransport } from "@yonder/wire";
import { expect, onTestFinished, test } from "vitest";

/** A client of a server that answers each call with these bytes, over HTTP/1.1. */
async function openClient(protocol: "connect" | "grpc-web", headers: Record<string, string>, body: Uint8Array) {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    const type = protocol === "connect" ? "application/connect+proto" : "application/grpc-web+proto";
    response.writeHead(200, { "content-type": type, ...headers }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = new Agent();
  onTestFinished(() => {
    agent.destroy();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return createClient(FileService, createWireTransport({ baseUrl, protocol, http: { agent }, readMaxBytes: 100_000 }));
}

const data = Buffer.alloc(10_000, 1);
const chunk = create(DownloadResponseSchema, { part: { case: "chunk", value: { data } } });
const message = encodeEnvelope(0, toBinary(DownloadResponseSchema, chunk));
const trailers = encodeEnvelope(2, Buffer.from('{"metadata":{"word":["after"]}}'));
const refusal = encodeEnvelope(
  2,
  Buffer.from('{"error":{"code":"invalid_argument","message":"protocol error of yours"}}'),
);

test.each([
  ["within a message", message.subarray(0, -1), 0],
  ["within what is before a message", Buffer.concat([message, message.subarray(0, 3)]), 1],
  ["behind a message", message, 1],
  ["before all", Buffer.alloc(0), 0],
])("a reply over Connect that was cut %s is an internal error", async (_where, body, count) => {
  const client = await openClient("connect", {}, body);
  const got: DownloadResponse[] = [];
  const error = await take(client.download({ path: "a" }), got);
  expect(error).toMatchObject({ code: Code.Internal, rawMessage: expect.stringContaining("protocol error") });
  expect(got).toHaveLength(count);
});

test("what a server says of a request stays what it is", async () => {
  const client = await openClient("connect", {}, Buffer.concat([message, refusal]));
  const error = await take(client.download({ path: "a" }), []);
  expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: "protocol error of yours" });
});

test("trailers come from the headers over gRPC-Web where there is no message, and else from the end", async () => {
  const word = Promise.withResolvers<string | null>();
  const onTrailer = (trailer: Headers): void => word.resolve(trailer.get("word"));
  const empty = await openClient("grpc-web", { "grpc-status": "0", word: "before" }, Buffer.alloc(0));
  expect(await take(empty.download({ path: "a" }, { onTrailer }), [])).toBeUndefined();
  expect(await word.promise).toBe("before");

  const other = Promise.withResolvers<string | null>();
  const whole = await openClient("connect", { word: "before" }, Buffer.concat([message, trailers]));
  const replies = whole.download({ path: "a" }, { onTrailer: (trailer) => other.resolve(trailer.get("word")) });
  expect(await take(replies, [])).toBeUndefined();
  expect(await other.promise).toBe("after");
});

async function take(replies: AsyncIterable<DownloadResponse>, into: DownloadResponse[]) {
  try {
    for await (const reply of replies) into.push(reply);
  } catch (error) {
    return ConnectError.from(error);
  }
  return undefined;
}
