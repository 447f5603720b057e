import { once } from "node:events";
import { connect, constants, createServer } from "node:http2";
import type { ClientHttp2Session, Http2Server, OutgoingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createConnectRouter, createContextValues } from "@connectrpc/connect";
import type { ConnectRouterOptions, HandlerContext } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { createGrpcRouter } from "@yonder/wire";
import { DownloadResponseSchema, FileService, StatRequestSchema, StatResponseSchema } from "@yonder/proto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { patient } from "../helpers/time.ts";

const path = "/yonder.workspace.v1.FileService/Stat";
const streamPath = "/yonder.workspace.v1.FileService/Download";
const stop = new AbortController();
const contexts: HandlerContext[] = [];
/** How many streams were left, and how many replies were taken of them. */
const returned = { count: 0, sent: 0 };
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
  const router = createGrpcRouter(createConnectRouter(options), options);
  router.rpc(FileService.method.stat, async ({ path: asked }, context) => {
    contexts.push(context);
    if (asked === "wait") await once(context.signal, "abort");
    if (asked === "wait") throw context.signal.reason;
    if (asked === "fail") throw new ConnectError("no ö here", Code.NotFound, { more: "yes" });
    if (asked === "bug") throw new Error("a secret");
    return { file: { path: asked === "long" ? "x".repeat(5_000) : asked } };
  });
  router.rpc(FileService.method.download, async function* ({ path: asked }, context) {
    contexts.push(context);
    try {
      context.responseHeader.set("head", "early");
      if (asked === "nothing") return;
      for (let left = asked === "endless" ? Infinity : 2; left > 0; left--) {
        yield {
          part: { case: "chunk" as const, value: { data: Buffer.alloc(asked === "small" ? 10 : 50_000, left) } },
        };
        returned.sent += 1;
      }
      context.responseTrailer.set("trail", "late");
      if (asked === "wait") await once(context.signal, "abort");
      if (asked === "wait") throw context.signal.reason;
      if (asked === "fail") throw new ConnectError("no more", Code.DataLoss);
    } finally {
      returned.count += 1;
    }
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
async function call(body: Buffer, headers: OutgoingHttpHeaders = {}, at = path) {
  const stream = session.request({
    ":method": "POST",
    ":path": at,
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

it("answers a small call, and tells whoever waits for its signal when it is over", async () => {
  const { head, code, reply, read } = await call(envelope("a"));
  expect(head).toMatchObject({ ":status": 200, "content-type": "application/grpc+proto" });
  expect([code, read(reply.subarray(5))]).toEqual([0, "a"]);
  const signal = contexts.at(-1)?.signal;
  if (signal?.aborted === false) await once(signal, "abort");
  expect(signal?.reason).toMatchObject({ message: "the call is over" });
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

it.each([path, streamPath])("keeps the deadline of a caller who sends half a request to %s", async (at) => {
  const stream = session.request({
    ":method": "POST",
    ":path": at,
    "content-type": "application/grpc",
    "grpc-timeout": "50m",
  });
  stream.on("error", () => {}).resume();
  stream.write(envelope("abc").subarray(0, 6));
  const [trailers] = (await once(stream, "trailers")) as [Record<string, unknown>];
  expect(Number(trailers["grpc-status"])).toBe(Code.DeadlineExceeded);
  stream.close();
});

it("tells how long the caller waits, also where that is longer than a timer can be set for", async () => {
  expect((await call(envelope("a"), { "grpc-timeout": "10000H" })).code).toBe(0);
  expect(contexts.at(-1)?.timeoutMs()).toBeGreaterThan(2 ** 31);
  expect((await call(envelope("a"))).code).toBe(0);
  expect(contexts.at(-1)?.timeoutMs()).toBeUndefined();
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

it("answers with a stream, whose headers wait for its first reply", async () => {
  const { head, trailers, code, reply } = await call(envelope("large"), {}, streamPath);
  expect(head).toMatchObject({ ":status": 200, head: "early" });
  expect([code, trailers["trail"]]).toEqual([0, "late"]);
  expect(chunksOf(reply)).toEqual([Buffer.alloc(50_000, 2), Buffer.alloc(50_000, 1)]);
  expect(await call(envelope("nothing"), {}, streamPath)).toMatchObject({ code: 0, head: { head: "early" } });
});

it("compresses the replies of a stream that are long where its caller takes that", async () => {
  const accepting = { "grpc-accept-encoding": "gzip" };
  const { head, reply } = await call(envelope("large"), accepting, streamPath);
  expect([head["grpc-encoding"], reply[0]]).toEqual(["gzip", 1]);
  expect(reply.length).toBeLessThan(1_000);
  expect((await call(envelope("small"), accepting, streamPath)).reply[0]).toBe(0);
});

it("tells an error after the replies that came before it", async () => {
  const { reply, trailers, code, message } = await call(envelope("fail"), {}, streamPath);
  expect([chunksOf(reply).length, code, message]).toEqual([2, Code.DataLoss, "no%20more"]);
  expect(trailers["trail"]).toBe("late");
  const late = await call(envelope("wait"), { "grpc-timeout": "1S" }, streamPath);
  expect([chunksOf(late.reply).length, late.code]).toEqual([2, Code.DeadlineExceeded]);
});

it("holds a stream whose caller stands still, and leaves it when he goes", async () => {
  const before = { ...returned };
  const stream = session.request({ ":method": "POST", ":path": streamPath, "content-type": "application/grpc" });
  stream.on("error", () => {});
  stream.end(envelope("endless"));
  await once(stream, "response");
  // For as long as more is taken: the window, and what either end has in hand.
  for (let sent = -1; sent !== returned.sent; await new Promise((done) => setTimeout(done, 200))) sent = returned.sent;
  expect(returned.sent - before.sent).toBeLessThan(20);
  expect(returned.count).toBe(before.count);
  stream.close(constants.NGHTTP2_CANCEL);
  await expect.poll(() => returned.count, patient).toBe(before.count + 1);
  expect(contexts.at(-1)?.signal.reason).toMatchObject({ code: Code.Canceled });
});

it("leaves everything else to Connect", async () => {
  const others = [{ "content-type": "application/grpc-web" }, { "content-type": "application/grpc+json" }];
  for (const headers of [...others, { "grpc-encoding": "gzip" }]) {
    expect((await call(envelope("a"), headers)).head[":status"]).toBe(599);
  }
});

function chunksOf(reply: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < reply.length; at += 5 + reply.readUInt32BE(at + 1)) {
    const { part } = fromBinary(DownloadResponseSchema, reply.subarray(at + 5, at + 5 + reply.readUInt32BE(at + 1)));
    if (part.case === "chunk") chunks.push(Buffer.from(part.value.data));
  }
  return chunks;
}
