// The suite's client over the client's own transport and sessions, or connect-node's (STOCK=1).
import { create } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import { Agent } from "node:http";
import { connect } from "node:net";
import { Http2Sessions } from "../../client/src/connection/http2-sessions.ts";
import { createWireTransport } from "../../wire/src/client.ts";
import { heavy } from "../../wire/src/gather.ts";
import * as suite from "./messages.mjs";

// The suite's messages are small: with this all of them take the way of large ones.
heavy.fromBytes = 1;

const { addHeaders, clientCompat, config, readMessages, service, toProtoError, toProtoHeaders, wait, writeMessage } =
  suite;
const isStock = process.env.STOCK === "1";
const { ConformanceService, ConformancePayloadSchema } = service;
const noPayload = create(ConformancePayloadSchema);
const requestTypes = {
  Unary: service.UnaryRequestSchema,
  IdempotentUnary: service.IdempotentUnaryRequestSchema,
  ServerStream: service.ServerStreamRequestSchema,
  ClientStream: service.ClientStreamRequestSchema,
  BidiStream: service.BidiStreamRequestSchema,
  Unimplemented: service.UnimplementedRequestSchema,
};

function openTransport({ host, port, protocol, httpVersion, messageReceiveLimit }) {
  const isHttp2 = httpVersion === config.HTTPVersion.HTTP_VERSION_2;
  const baseUrl = `http://${host}:${port}`;
  const readMaxBytes = messageReceiveLimit || 0xffffffff;
  const { CONNECT, GRPC } = config.Protocol;
  if (isStock) {
    const options = { baseUrl, readMaxBytes, acceptCompression: [], httpVersion: isHttp2 ? "2" : "1.1" };
    const open = protocol === GRPC ? createGrpcTransport : createGrpcWebTransport;
    return { transport: (protocol === CONNECT ? createConnectTransport : open)(options), close() {} };
  }
  const agent = new Agent({ keepAlive: true });
  const sessions = new Http2Sessions({
    authority: baseUrl,
    dial: () => connect({ host, port, noDelay: true }),
    pingIntervalMs: 15_000,
    pingTimeoutMs: 10_000,
  });
  const transport = createWireTransport({
    baseUrl,
    protocol: protocol === CONNECT ? "connect" : protocol === GRPC ? "grpc" : "grpc-web",
    http: isHttp2 ? { sessions } : { agent },
    readMaxBytes,
  });
  return {
    transport,
    close() {
      agent.destroy();
      sessions.abort(new Error("done"));
    },
  };
}

async function invoke(request, transport) {
  const result = create(clientCompat.ClientResponseResultSchema);
  const client = createClient(ConformanceService, transport);
  const abort = new AbortController();
  const { cancelTiming: cancel = { case: undefined } } = request.cancel ?? {};
  const cancelOnClose = () => {
    if (cancel.case === "beforeCloseSend") abort.abort();
    if (cancel.case === "afterCloseSendMs") setTimeout(() => abort.abort(), cancel.value);
  };
  const take = (reply) => {
    result.payloads.push(reply.payload ?? noPayload);
    if (cancel.case === "afterNumResponses" && result.payloads.length === cancel.value) abort.abort();
  };
  const headers = new Headers();
  addHeaders(headers, request.requestHeaders);
  const options = {
    headers,
    signal: abort.signal,
    timeoutMs: request.timeoutMs,
    onHeader: (values) => (result.responseHeaders = toProtoHeaders(values)),
    onTrailer: (values) => (result.responseTrailers = toProtoHeaders(values)),
  };
  const messages = request.requestMessages.map((any) => anyUnpack(any, requestTypes[request.method]));
  const name = request.method[0].toLowerCase() + request.method.slice(1);
  const isBidi = name === "bidiStream";
  try {
    if (isBidi) await bidi();
    else if (name === "clientStream") take(await client.clientStream(sent(), options));
    else await one();
  } catch (error) {
    result.error = toProtoError(error);
    // What came with it counts as headers and as trailers, since an error does not tell them apart.
    const metadata = toProtoHeaders(ConnectError.from(error).metadata);
    if (result.responseHeaders.length === 0) result.responseHeaders = metadata;
    if (result.responseTrailers.length === 0) result.responseTrailers = metadata;
  }
  return result;

  async function one() {
    await wait(request.requestDelayMs);
    const reply = client[name](messages[0], options);
    cancelOnClose();
    if (name !== "serverStream") return take(await reply);
    for await (const each of reply) take(each);
  }

  async function* sent() {
    for (const message of messages) {
      await wait(request.requestDelayMs);
      yield message;
    }
    cancelOnClose();
  }

  async function bidi() {
    const requests = createWritableIterable();
    const replies = client.bidiStream(requests, options)[Symbol.asyncIterator]();
    const isFullDuplex = request.streamType === config.StreamType.FULL_DUPLEX_BIDI_STREAM;
    for (const message of messages) {
      await wait(request.requestDelayMs);
      await requests.write(message);
      if (!isFullDuplex) continue;
      const next = await replies.next();
      if (next.done !== true) take(next.value);
    }
    if (cancel.case === "beforeCloseSend") abort.abort();
    requests.close();
    if (cancel.case === "afterCloseSendMs") setTimeout(() => abort.abort(), cancel.value);
    if (cancel.case === "afterNumResponses" && cancel.value === 0) abort.abort();
    for (let next = await replies.next(); next.done !== true; next = await replies.next()) take(next.value);
  }
}

async function run(request) {
  const response = create(clientCompat.ClientCompatResponseSchema, { testName: request.testName });
  const opened = openTransport(request);
  try {
    response.result = { case: "response", value: await invoke(request, opened.transport) };
  } catch (error) {
    response.result = {
      case: "error",
      value: create(clientCompat.ClientErrorResultSchema, { message: String(error) }),
    };
  }
  writeMessage(clientCompat.ClientCompatResponseSchema, response);
  opened.close();
}

// The suite cancels calls before anybody awaits them; each failure is told where it is awaited.
process.on("unhandledRejection", () => {});

const running = [];
for await (const request of readMessages(clientCompat.ClientCompatRequestSchema)) running.push(run(request));
await Promise.all(running);
process.exit();
