import type { DescMethodServerStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import type { ConnectRouter, ConnectRouterOptions, ContextValues, MethodImpl } from "@connectrpc/connect";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { createStreamHandler } from "./stream-handler.ts";
import { createUnaryHandler } from "./unary-handler.ts";

/** Answers a call; resolves once the answer is on its way. */
export type GrpcHandler = (
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  contextValues: ContextValues,
) => Promise<void>;

/** A router that remembers what answers each call with one request. */
export interface GrpcRouter extends ConnectRouter {
  /** Undefined where Connect has to answer. */
  find(request: IncomingMessage | Http2ServerRequest, path: string): GrpcHandler | undefined;
}

/**
 * Answers calls with one request, and one reply or a stream of them, without Connect's pipeline, which has a dozen
 * asynchronous iterators for each: over gRPC and HTTP/2, in binary, where the request is not compressed. Interceptors,
 * gate, errors, deadlines and compression are Connect's, and so is every other kind of call.
 */
export function createGrpcRouter(router: ConnectRouter, options: ConnectRouterOptions): GrpcRouter {
  const handlers = new Map<string, GrpcHandler>();
  const grpc: GrpcRouter = {
    handlers: router.handlers,
    service(service, implementation, serviceOptions) {
      router.service(service, implementation, serviceOptions);
      return grpc;
    },
    rpc(method, implementation, methodOptions) {
      router.rpc(method, implementation, methodOptions);
      const path = `/${method.parent.typeName}/${method.name}`;
      const all = { ...options, ...methodOptions };
      if (method.methodKind === "unary") {
        const unary = method as DescMethodUnary;
        handlers.set(path, createUnaryHandler(unary, implementation as MethodImpl<typeof unary>, all));
      }
      if (method.methodKind === "server_streaming") {
        const streaming = method as DescMethodServerStreaming;
        handlers.set(path, createStreamHandler(streaming, implementation as MethodImpl<typeof streaming>, all));
      }
      return grpc;
    },
    find: (request, path) => (isPlain(request) ? handlers.get(path) : undefined),
  };
  return grpc;
}

function isPlain({ headers, method, httpVersionMajor }: IncomingMessage | Http2ServerRequest): boolean {
  const type = headers["content-type"];
  const encoding = headers["grpc-encoding"];
  return (
    httpVersionMajor === 2 &&
    method === "POST" &&
    (type === "application/grpc" || type === "application/grpc+proto") &&
    (encoding === undefined || encoding === "identity")
  );
}
