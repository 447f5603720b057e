// The suite's service behind the server's own port: its edge and its node handler, or connect-node's (STOCK=1).
import { create, createRegistry } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { compressionBrotli, compressionGzip, connectNodeAdapter } from "@connectrpc/connect-node";
import { createServer as createHttp1 } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { pino } from "pino";
import { createCleartextServer } from "../../server/src/http/cleartext-server.ts";
import { guardEarlyAnswer } from "../../server/src/http/early-answer.ts";
import { defaultConnectionLimits } from "../../server/src/http/limits.ts";
import { createNodeHandler } from "../../server/src/http/node-handler.ts";
import { heavy } from "../../wire/src/gather.ts";
import * as suite from "./messages.mjs";

// The suite's messages are small: with this all of them take the way of large ones.
heavy.fromBytes = 1;

const { addHeaders, config, readMessages, serverCompat, service, toConnectError, toProtoHeaders, wait, writeMessage } =
  suite;
const { ConformanceService, ConformancePayloadSchema, ConformancePayload_RequestInfoSchema: InfoSchema } = service;

const requestInfo = (context, requests, query) =>
  create(InfoSchema, {
    requestHeaders: toProtoHeaders(context.requestHeader),
    requests,
    ...(context.timeoutMs() !== undefined && { timeoutMs: BigInt(Math.trunc(context.timeoutMs())) }),
    ...(query !== undefined && { connectGetInfo: { queryParams: query } }),
  });

const queryOf = ({ requestMethod, url }) =>
  requestMethod === "GET" ? toProtoHeaders(new URL(url).searchParams) : undefined;

function begin(context, definition) {
  addHeaders(context.responseHeader, definition?.responseHeaders ?? []);
  addHeaders(context.responseTrailer, definition?.responseTrailers ?? []);
}

function failure(error, info) {
  if (info !== undefined) error.details.push(anyPack(InfoSchema, info));
  return toConnectError(error);
}

async function answerOnce(definition, requests, context) {
  begin(context, definition);
  await wait(definition?.responseDelayMs ?? 0);
  const info = requestInfo(context, requests, queryOf(context));
  const { response } = definition ?? { response: {} };
  if (response.case === "error") throw failure(response.value, info);
  return { payload: create(ConformancePayloadSchema, { requestInfo: info, data: response.value }) };
}

async function* answerAll(definition, from, info) {
  const data = definition?.responseData ?? [];
  for (let index = from; index < data.length; index++) {
    await wait(definition.responseDelayMs);
    yield {
      payload: create(ConformancePayloadSchema, { requestInfo: index === 0 ? info : undefined, data: data[index] }),
    };
  }
  if (definition?.error !== undefined) throw failure(definition.error, data.length === 0 ? info : undefined);
}

const routes = (router) =>
  router.service(ConformanceService, {
    unary: (request, context) =>
      answerOnce(request.responseDefinition, [anyPack(service.UnaryRequestSchema, request)], context),
    idempotentUnary: (request, context) =>
      answerOnce(request.responseDefinition, [anyPack(service.IdempotentUnaryRequestSchema, request)], context),
    async clientStream(requests, context) {
      const all = [];
      for await (const request of requests) all.push(request);
      const packed = all.map((request) => anyPack(service.ClientStreamRequestSchema, request));
      return answerOnce(all[0]?.responseDefinition, packed, context);
    },
    async *serverStream(request, context) {
      begin(context, request.responseDefinition);
      const info = requestInfo(context, [anyPack(service.ServerStreamRequestSchema, request)]);
      yield* answerAll(request.responseDefinition, 0, info);
    },
    async *bidiStream(requests, context) {
      let definition;
      let answered = 0;
      let pending = [];
      let isFullDuplex = false;
      for await (const request of requests) {
        if (definition === undefined) {
          definition = request.responseDefinition;
          // Only the first message says it.
          isFullDuplex = request.fullDuplex;
          begin(context, definition);
        }
        pending.push(anyPack(service.BidiStreamRequestSchema, request));
        if (!isFullDuplex) continue;
        if (answered >= (definition?.responseData.length ?? 0)) break;
        await wait(definition.responseDelayMs);
        const info = requestInfo(context, pending);
        yield {
          payload: create(ConformancePayloadSchema, { requestInfo: info, data: definition.responseData[answered++] }),
        };
        pending = [];
      }
      yield* answerAll(definition, answered, requestInfo(context, pending));
    },
  });

async function start({ httpVersion, messageReceiveLimit }) {
  const routerOptions = {
    // JSON names the types of what it packs.
    jsonOptions: { registry: createRegistry(service.file_connectrpc_conformance_v1_service) },
    acceptCompression: [compressionGzip, compressionBrotli],
    ...(messageReceiveLimit > 0 && { readMaxBytes: messageReceiveLimit }),
  };
  if (process.env.STOCK === "1") {
    const handler = connectNodeAdapter({ routes, ...routerOptions });
    return httpVersion === config.HTTPVersion.HTTP_VERSION_2 ? createHttp2(handler) : createHttp1(handler);
  }
  const handler = createNodeHandler({ routes, routerOptions, logger: pino({ level: "silent" }) });
  const guarded = (message, response) => {
    guardEarlyAnswer(message, response, () => false);
    handler(message, response);
  };
  return createCleartextServer(guarded, defaultConnectionLimits).server;
}

for await (const request of readMessages(serverCompat.ServerCompatRequestSchema)) {
  const server = await start(request);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { address: host, port } = server.address();
  writeMessage(
    serverCompat.ServerCompatResponseSchema,
    create(serverCompat.ServerCompatResponseSchema, { host, port }),
  );
}
