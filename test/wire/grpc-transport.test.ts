import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createContextValues } from "@connectrpc/connect";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { createWireTransport, reuseMemory } from "@yonder/wire";
import { FileInfoSchema, FileService, StatResponseSchema } from "@yonder/proto";
import { ServerReflection } from "@yonder/proto/grpc/reflection/v1/reflection";
import { once } from "node:events";
import { constants, createServer } from "node:http2";
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Http2Sessions } from "../../client/src/connection/http2-sessions.ts";
import { patient } from "../helpers/time.ts";
import { until } from "../helpers/until.ts";

test("carries the four kinds of calls, with headers and trailers both ways", async () => {
  const transport = await openConnect((router) => {
    router.service(FileService, {
      stat({ path }, { requestHeader, responseHeader, responseTrailer }) {
        responseHeader.set("head", requestHeader.get("mine") ?? "");
        responseTrailer.set("data-bin", requestHeader.get("mine-bin") ?? "");
        return { file: { path } };
      },
      async *download({ path }) {
        for (const size of [0, 10, 100_000]) yield chunk(Buffer.alloc(size, path));
      },
      async upload(requests) {
        let size = 0n;
        for await (const { part } of requests) if (part.case === "chunk") size += BigInt(part.value.data.length);
        return { upload: { committedBytes: size } };
      },
    });
    router.service(ServerReflection, {
      async *serverReflectionInfo(requests) {
        for await (const { host } of requests) yield { validHost: host };
      },
    });
  });
  const client = createClient(FileService, transport);

  let header = new Headers();
  let trailer = new Headers();
  const headers = { mine: "a", "mine-bin": "AAEC" };
  const options = { headers, onHeader: (h: Headers) => (header = h), onTrailer: (t: Headers) => (trailer = t) };
  expect((await client.stat({ path: "x" }, options)).file?.path).toBe("x");
  expect([header.get("head"), trailer.get("data-bin")]).toEqual(["a", "AAEC"]);

  const sizes: number[] = [];
  for await (const { part } of client.download({ path: "x" }))
    if (part.case === "chunk") sizes.push(part.value.data.length);
  expect(sizes).toEqual([0, 10, 100_000]);

  async function* parts() {
    for (const size of [3, 200_000]) yield chunk(Buffer.alloc(size));
  }
  expect((await client.upload(parts())).upload?.committedBytes).toBe(200_003n);

  const answers: string[] = [];
  const turns = createTurns();
  const replies = createClient(ServerReflection, transport).serverReflectionInfo(turns.requests);
  turns.say("one");
  for await (const { validHost } of replies) {
    answers.push(validHost);
    // A reply is there before the next request is made.
    turns.say(validHost === "one" ? "two" : undefined);
  }
  expect(answers).toEqual(["one", "two"]);
});

test("tells errors with their details, and what came before them", async () => {
  const transport = await openConnect((router) => {
    const fail = () => {
      const details = [{ desc: FileInfoSchema, value: { path: "detail" } }];
      return new ConnectError("no ö here", Code.NotFound, { more: "yes" }, details);
    };
    router.service(FileService, {
      stat() {
        throw fail();
      },
      async *download() {
        yield chunk(Buffer.alloc(5));
        throw fail();
      },
      async *search() {
        throw fail();
      },
    });
  });
  const client = createClient(FileService, transport);
  let replies = 0;
  const read = async (messages: AsyncIterable<unknown>) => {
    for await (const _ of messages) replies += 1;
  };
  for (const call of [() => client.stat({}), () => read(client.download({})), () => read(client.search({}))]) {
    const error = await failureOf(call());
    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: "no ö here", isWireError: true });
    expect([error.metadata.get("more"), error.findDetails(FileInfoSchema)[0]?.path]).toEqual(["yes", "detail"]);
  }
  expect(replies).toBe(1);
});

test("ends a call at its deadline or by its signal, and its peer hears of it", async () => {
  const codes: number[] = [];
  let begun = 0;
  const transport = await openRaw((stream) => {
    begun += 1;
    stream.on("close", () => codes.push(stream.rstCode));
  });
  const client = createClient(FileService, transport);
  const abort = new AbortController();
  const late = [
    client.stat({}, { timeoutMs: 1_000 }),
    client.download({}, { timeoutMs: 1_000 })[Symbol.asyncIterator]().next(),
  ];
  for (const call of late) expect(await failureOf(call)).toMatchObject({ code: Code.DeadlineExceeded });
  const cancelled = [
    client.stat({}, { signal: abort.signal }),
    client.download({}, { signal: abort.signal })[Symbol.asyncIterator]().next(),
  ];
  await until(() => begun === 4);
  abort.abort();
  for (const call of cancelled) expect(await failureOf(call)).toMatchObject({ code: Code.Canceled });
  expect(await failureOf(client.stat({}, { signal: abort.signal }))).toMatchObject({ code: Code.Canceled });
  await expect.poll(() => codes.toSorted((a, b) => a - b), patient).toEqual([2, 2, 8, 8]);
});

test("sends the deadline along", async () => {
  const sent: unknown[] = [];
  const transport = await openRaw((stream, headers) => {
    sent.push(headers["grpc-timeout"]);
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
  });
  const client = createClient(FileService, transport);
  for (const timeoutMs of [undefined, 0, 70_000, 70_000.5, 1e8, 1e11 + 0.5, 1e13, Infinity])
    await failureOf(client.stat({}, timeoutMs === undefined ? {} : { timeoutMs }));
  const eightDigits = ["70001m", "100000S", "27778H", "2777778H", "99999999H"];
  expect(sent).toEqual([undefined, undefined, "70000m", ...eightDigits]);
});

const unary = encodeEnvelope(0, toBinary(StatResponseSchema, create(StatResponseSchema, { file: { path: "x" } })));
const grpc = { ":status": 200, "content-type": "application/grpc+proto" };
const ok = { "grpc-status": "0" };

test.each<[string, Code, (stream: ServerHttp2Stream) => void]>([
  ["a reset", Code.Unavailable, (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)],
  [
    "a reset after headers",
    Code.ResourceExhausted,
    (stream) => {
      stream.respond(grpc);
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    },
  ],
  ["a cancelled stream", Code.Canceled, (stream) => stream.close(constants.NGHTTP2_CANCEL)],
  ["another HTTP status", Code.Unavailable, (stream) => stream.respond({ ":status": 503 }, { endStream: true })],
  ["another content type", Code.Unknown, (stream) => stream.respond({ ":status": 200, "content-type": "text/html" })],
  ["an encoding", Code.Internal, (stream) => stream.respond({ ...grpc, "grpc-encoding": "gzip" })],
  ["no status", Code.Internal, (stream) => reply(stream, unary)],
  ["half a message", Code.Internal, (stream) => reply(stream, unary.subarray(0, 6), ok)],
  ["two messages", Code.Unimplemented, (stream) => reply(stream, Buffer.concat([unary, unary]), ok)],
  [
    "more messages without an end",
    Code.Unimplemented,
    (stream) => {
      stream.respond(grpc);
      const more = setInterval(() => stream.write(unary), 1);
      stream.on("close", () => clearInterval(more));
    },
  ],
  ["no message", Code.Unimplemented, (stream) => reply(stream, new Uint8Array(), ok)],
  ["a compressed message", Code.Internal, (stream) => reply(stream, encodeEnvelope(1, unary), ok)],
  [
    "a message that is too large",
    Code.ResourceExhausted,
    (stream) => reply(stream, encodeEnvelope(0, Buffer.alloc(300_000)), ok),
  ],
  [
    "an error among the headers",
    Code.Aborted,
    (stream) => stream.respond({ ...grpc, "grpc-status": "10" }, { endStream: true }),
  ],
])("fails at %s", async (_what, code, answer) => {
  const client = createClient(FileService, await openRaw(answer));
  expect(await failureOf(client.stat({}))).toMatchObject({ code });
});

test("tells an error whose words are not encoded as they should be", async () => {
  const words = { "grpc-status": "5", "grpc-message": "100% of 50%zz" };
  for (const answer of [
    (stream: ServerHttp2Stream) => reply(stream, new Uint8Array(), words),
    (stream: ServerHttp2Stream) => stream.respond({ ...grpc, ...words }, { endStream: true }),
  ]) {
    const client = createClient(FileService, await openRaw(answer));
    const expected = { code: Code.NotFound, rawMessage: "100% of 50%zz" };
    expect(await failureOf(client.stat({}))).toMatchObject(expected);
    expect(await failureOf(client.download({})[Symbol.asyncIterator]().next())).toMatchObject(expected);
  }
});

test("fails where nobody answers, with Node's reason", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  const error = await failureOf(createClient(FileService, transportTo(port)).stat({}));
  expect(error).toMatchObject({ code: Code.Unavailable, cause: { code: "ECONNREFUSED" } });
});

test("lets go of requests that nobody takes any more", async () => {
  const transport = await openRaw((stream) => reply(stream, encodeEnvelope(0, new Uint8Array()), ok));
  let isLetGo = false;
  async function* endless() {
    try {
      for (;;) {
        yield chunk(Buffer.alloc(50_000));
        await new Promise(setImmediate);
      }
    } finally {
      isLetGo = true;
    }
  }
  await createClient(FileService, transport).upload(endless());
  await expect.poll(() => isLetGo, patient).toBe(true);
});

test("a call fails whose requests fail", async () => {
  const codes: number[] = [];
  const transport = await openRaw((stream) => stream.on("close", () => codes.push(stream.rstCode)));
  async function* failing() {
    yield chunk(Buffer.alloc(5));
    throw new Error("the disk is gone");
  }
  const error = await failureOf(createClient(FileService, transport).upload(failing()));
  expect(error.rawMessage).toBe("the disk is gone");
  await expect.poll(() => codes, patient).toEqual([constants.NGHTTP2_INTERNAL_ERROR]);
});

test.each([1, 4])(
  "a reader that stands still holds up the sender, and the memory of all but %i is used again",
  async (held) => {
    const total = 400;
    let sent = 0;
    const transport = await openConnect((router) => {
      router.rpc(FileService.method.download, async function* () {
        for (; sent < total; sent++) yield chunk(Buffer.alloc(200_000, sent % 251));
      });
    });
    const contextValues = createContextValues().set(reuseMemory, held);
    const replies = createClient(FileService, transport).download({}, { contextValues })[Symbol.asyncIterator]();
    const memories = new Set<unknown>();
    const own: { readonly data: Uint8Array; readonly value: number }[] = [];
    let received = 0;
    for (let next = await replies.next(); next.done !== true; next = await replies.next()) {
      const { part } = next.value;
      if (part.case !== "chunk") throw new Error("no chunk");
      own.push({ data: part.value.data, value: received % 251 });
      if (own.length > held) own.shift();
      for (const { data, value } of own) expect([data.length, data[7], data.at(-1)]).toEqual([200_000, value, value]);
      memories.add(part.value.data.buffer);
      // For as long as more comes: the windows, and what either end has in hand.
      for (let before = -1; received === 0 && before !== sent; await new Promise((done) => setTimeout(done, 200)))
        before = sent;
      if (received === 0) expect(sent).toBeLessThan(total / 2);
      received += 1;
    }
    expect(received).toBe(total);
    // Those that are held, and what is read ahead: 8 MiB at most, on a line that is slow to answer.
    expect(memories.size).toBeLessThan(60);
  },
);

/** A part of a download. */
function chunk(data: Uint8Array) {
  return { part: { case: "chunk" as const, value: { data } } };
}

/** Requests that are made while their replies are read. */
function createTurns() {
  const said: (string | undefined)[] = [];
  let wake = () => {};
  async function* requests() {
    for (;;) {
      while (said.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const host = said.shift();
      if (host === undefined) return;
      yield { host };
    }
  }
  return {
    requests: requests(),
    say(host: string | undefined) {
      said.push(host);
      wake();
    },
  };
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ConnectError) return error;
  throw new Error(`it did not fail as it should: ${String(error)}`);
}

function reply(stream: ServerHttp2Stream, body: Uint8Array, trailers?: Record<string, string>): void {
  stream.respond(grpc, { waitForTrailers: trailers !== undefined });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
  stream.end(body);
}

/** A transport to Connect's own server. */
function openConnect(routes: (router: ConnectRouter) => void) {
  return open(createServer(connectNodeAdapter({ routes })));
}

/** A transport to a server that answers as it is told. */
function openRaw(answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void) {
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on("error", () => {});
    stream.resume();
    answer(stream, headers);
  });
  return open(server);
}

async function open(server: Http2Server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return transportTo((server.address() as AddressInfo).port);
}

function transportTo(port: number) {
  const baseUrl = `http://127.0.0.1:${port}`;
  const sessions = new Http2Sessions({
    authority: baseUrl,
    dial: () => connect(port, "127.0.0.1"),
    pingIntervalMs: 60_000,
    pingTimeoutMs: 60_000,
  });
  onTestFinished(() => sessions.abort(new ConnectError("over", Code.Canceled)));
  return createWireTransport({ baseUrl, protocol: "grpc", http: { sessions }, readMaxBytes: 250_000 });
}
