import { once } from "node:events";
import { connect, constants, createServer } from "node:http2";
import type { ClientHttp2Session, Http2Server, OutgoingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createConnectRouter, createContextValues } from "@connectrpc/connect";
import type { ConnectRouterOptions, HandlerContext } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { createUnaryRouter } from "@yonder/wire";
import { FileService, StatRequestSchema, StatResponseSchema } from "@yonder/proto";
import { afterAll, beforeAll, expect, it } from "vitest";

const path = "/yonder.workspace.v1.FileService/Stat";
const stop = new AbortController();
const contexts: HandlerContext[] = [];
let server: Http2Server;
let session: ClientHttp2Session;

beforeAll(async () => {
  const options: ConnectRouterOptions = {
    readMaxBytes: 100,
    acceptCompression: [compressionGzip],
    shutdownSignal: stop.signal,
    requestGate({ requestHeader }) {
      if (requestHeader.get("key") === "wrong") throw new ConnectError("who are you?", Code.Unauthenticated);
    },
  };
  const router = createUnaryRouter(createConnectRouter(options), options);
  router.rpc(FileService.method.stat, async ({ path: asked }, context) => {
    contexts.push(context);
    if (asked === "wait") await once(context.signal, "abort");
    if (asked === "wait") throw context.signal.reason;
    if (asked === "fail") throw new ConnectError("no ö here", Code.NotFound, { more: "yes" });
    if (asked === "bug") throw new Error("a secret");
    return { file: { path: asked === "long" ? "x".repeat(5_000) : asked } };
  });
  server = createServer((request, response) => {
    const handler = router.find(request, request.url);
    if (handler === undefined) return void response.writeHead(599).end();
    handler(request, response, createContextValues()).catch(() => response.stream.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(async () => {
  session.close();
  server.close();
  await once(server, "close");
});

function envelope(asked: string, flags = 0): Buffer {
  const data = toBinary(StatRequestSchema, create(StatRequestSchema, { path: asked }));
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(data.length, 1);
  return Buffer.concat([head, data]);
}

/** What comes back, and its trailers. */
async function call(body: Buffer, headers: OutgoingHttpHeaders = {}) {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    ...headers,
  });
  let head: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  stream.on("response", (received) => (head = received));
  stream.on("trailers", (received) => (trailers = received));
  stream.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const reply = Buffer.concat(chunks);
  const read = (data: Buffer) => fromBinary(StatResponseSchema, data).file?.path;
  return { head, trailers, reply, read, code: Number(trailers["grpc-status"]), message: trailers["grpc-message"] };
}

it("answers a small call, and then tells whoever waits for its signal", async () => {
  const { head, code, reply, read } = await call(envelope("a"));
  expect(head).toMatchObject({ ":status": 200, "content-type": "application/grpc+proto" });
  expect([code, read(reply.subarray(5))]).toEqual([0, "a"]);
  expect(contexts.at(-1)?.signal.aborted).toBe(true);
});

it("compresses a reply that is long where its caller takes that", async () => {
  const { head, reply, read } = await call(envelope("long"), { "grpc-accept-encoding": "identity,deflate,gzip" });
  expect(head["grpc-encoding"]).toBe("gzip");
  expect(reply[0]).toBe(1);
  expect(read(gunzipSync(reply.subarray(5)))).toHaveLength(5_000);
  expect((await call(envelope("long"))).reply[0]).toBe(0);
});

it("tells errors with their text and metadata, and of its own faults nothing", async () => {
  const failed = await call(envelope("fail"));
  expect(failed).toMatchObject({ code: Code.NotFound, message: "no%20%C3%B6%20here" });
  expect(failed.trailers["more"]).toBe("yes");
  expect(await call(envelope("bug"))).toMatchObject({ code: Code.Internal, message: "internal%20error" });
});

it("asks the gate before it reads", async () => {
  const before = contexts.length;
  expect(await call(envelope("a"), { key: "wrong" })).toMatchObject({ code: Code.Unauthenticated });
  expect(contexts).toHaveLength(before);
});

it("refuses what is not one whole message that it can read", async () => {
  const refused = async (body: Buffer) => (await call(body)).code;
  expect(await refused(Buffer.alloc(0))).toBe(Code.Unimplemented);
  expect(await refused(Buffer.concat([envelope("a"), envelope("b")]))).toBe(Code.Unimplemented);
  expect(await refused(envelope("abc").subarray(0, 7))).toBe(Code.InvalidArgument);
  expect(await refused(envelope("a", 1))).toBe(Code.Internal);
  expect(await refused(Buffer.from([0, 0, 0, 0, 1, 255]))).toBe(Code.Internal);
  expect(await refused(envelope("x".repeat(1_000)))).toBe(Code.ResourceExhausted);
});

it("keeps the caller's deadline", async () => {
  expect((await call(envelope("wait"), { "grpc-timeout": "20m" })).code).toBe(Code.DeadlineExceeded);
  expect((await call(envelope("a"), { "grpc-timeout": "soon" })).code).not.toBe(0);
});

it("hears that its caller is gone", async () => {
  const before = contexts.length;
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  stream.on("error", () => {});
  stream.end(envelope("wait"));
  while (contexts.length === before) await new Promise(setImmediate);
  const signal = contexts.at(-1)?.signal;
  const aborted = signal === undefined || signal.aborted ? undefined : once(signal, "abort");
  stream.close(constants.NGHTTP2_CANCEL);
  await aborted;
  expect(signal?.reason).toMatchObject({ code: Code.Canceled });
});

it("leaves everything else to Connect", async () => {
  const others = [{ "content-type": "application/grpc-web" }, { "content-type": "application/grpc+json" }];
  for (const headers of [...others, { "grpc-encoding": "gzip" }]) {
    expect((await call(envelope("a"), headers)).head[":status"]).toBe(599);
  }
});
