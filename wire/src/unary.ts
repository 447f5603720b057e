import type { DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError, createHandlerContext } from "@connectrpc/connect";
import type { ConnectRouter, ConnectRouterOptions, ContextValues, MethodImpl } from "@connectrpc/connect";
import {
  createMethodSerializationLookup,
  invokeUnaryImplementation,
  validateReadWriteMaxBytes,
} from "@connectrpc/connect/protocol";
import {
  grpcStatusOk,
  headerContentType,
  headerGrpcStatus,
  parseTimeout,
  setTrailerStatus,
} from "@connectrpc/connect/protocol-grpc";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { envelope, envelopeBytes } from "./envelope.ts";
import { nodeHeaders, webHeaders } from "./node-headers.ts";

type Implementation = MethodImpl<DescMethodUnary>;

/** Answers a call; resolves once the answer is on its way. */
type UnaryHandler = (
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  contextValues: ContextValues,
) => Promise<void>;

/** A router that remembers what answers each call with one request and one reply. */
export interface UnaryRouter extends ConnectRouter {
  /** Undefined where Connect has to answer. */
  find(request: IncomingMessage | Http2ServerRequest, path: string): UnaryHandler | undefined;
}

/** As Connect's own: less is not worth compressing. */
const compressMinBytes = 1024;
/** Connect lets each call's signal end with a DOMException of its own, with a stack that nobody reads. */
const callIsOver = new Error("the call is over");

/**
 * Answers small calls without Connect's pipeline, which has a dozen asynchronous iterators for each: over gRPC and HTTP/2,
 * in binary, where the request is not compressed. Interceptors, gate, errors, deadlines and compression of the reply are
 * Connect's, and so is every other kind of call.
 */
export function createUnaryRouter(router: ConnectRouter, options: ConnectRouterOptions): UnaryRouter {
  const handlers = new Map<string, UnaryHandler>();
  const unary: UnaryRouter = {
    handlers: router.handlers,
    service(service, implementation, serviceOptions) {
      router.service(service, implementation, serviceOptions);
      return unary;
    },
    rpc(method, implementation, methodOptions) {
      router.rpc(method, implementation, methodOptions);
      if (method.methodKind === "unary") {
        const handler = createHandler(method as DescMethodUnary, implementation as Implementation, options);
        handlers.set(`/${method.parent.typeName}/${method.name}`, handler);
      }
      return unary;
    },
    find: (request, path) => (isPlain(request) ? handlers.get(path) : undefined),
  };
  return unary;
}

function isPlain({ headers, method, httpVersionMajor }: IncomingMessage | Http2ServerRequest): boolean {
  const type = headers[headerContentType.toLowerCase()];
  const encoding = headers["grpc-encoding"];
  return (
    httpVersionMajor === 2 &&
    method === "POST" &&
    (type === "application/grpc" || type === "application/grpc+proto") &&
    (encoding === undefined || encoding === "identity")
  );
}

function createHandler(method: DescMethodUnary, impl: Implementation, options: ConnectRouterOptions): UnaryHandler {
  const { interceptors = [], requestGate, shutdownSignal, acceptCompression, readMaxBytes } = options;
  const { maxTimeoutMs = Number.MAX_SAFE_INTEGER } = options;
  const limits = validateReadWriteMaxBytes(readMaxBytes, options.writeMaxBytes, undefined);
  const serialization = createMethodSerializationLookup(method, options.binaryOptions, undefined, limits);
  const [requests, replies] = [serialization.getI(true), serialization.getO(true)];
  const spec = { kind: "unary", method, impl } as const;
  return async (request, response, contextValues) => {
    const gone = new AbortController();
    const { stream } = response;
    stream.once("close", () => {
      // A stream that is reset counts as finished.
      const isAnswered = stream.rstCode === 0 && stream.writableFinished;
      if (!isAnswered) gone.abort(new ConnectError("The caller is gone", Code.Canceled));
    });
    const timeout = parseTimeout(oneOf(request.headers["grpc-timeout"]), maxTimeoutMs);
    const context = createHandlerContext({
      service: method.parent,
      method,
      requestMethod: "POST",
      protocolName: "grpc",
      url: `http://${request.authority}${request.url}`,
      ...(timeout.timeoutMs !== undefined && { timeoutMs: timeout.timeoutMs }),
      ...(shutdownSignal && { shutdownSignal }),
      requestSignal: gone.signal,
      requestHeader: webHeaders(request.headers),
      responseHeader: { [headerContentType]: "application/grpc+proto" },
      responseTrailer: { [headerGrpcStatus]: grpcStatusOk },
      contextValues,
    });
    let reply: Uint8Array | undefined;
    try {
      await requestGate?.(context);
      if (timeout.error !== undefined) throw timeout.error;
      const input = requests.parse(await readMessage(request, limits.readMaxBytes));
      const output = await invokeUnaryImplementation(spec, context, input, interceptors);
      reply = envelope(replies.serialize(output));
      const [compression] = acceptCompression ?? [];
      if (compression !== undefined && reply.length >= compressMinBytes && accepts(request, compression.name)) {
        reply = envelope(await compression.compress(reply.subarray(envelopeBytes)), 1);
        context.responseHeader.set("grpc-encoding", compression.name);
      }
      context.abort(callIsOver);
    } catch (error) {
      context.abort(error);
      reply = undefined;
      setTrailerStatus(context.responseTrailer, asConnectError(error));
    }
    if (stream.destroyed) return;
    response.writeHead(200, nodeHeaders(context.responseHeader));
    response.addTrailers(nodeHeaders(context.responseTrailer));
    if (reply === undefined) response.end();
    else response.end(reply);
  };
}

/** What Connect does with what no interceptor has mapped. */
function asConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
}

/** The one message of a request, in the words of Connect where it is none. */
function readMessage(request: Http2ServerRequest, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const refuse = (message: string, code: Code): void => {
      request.off("data", take).resume();
      reject(new ConnectError(message, code));
    };
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      const size = chunks[0] !== undefined && chunks[0].length >= envelopeBytes ? chunks[0].readUInt32BE(1) : 0;
      const most = `larger than configured readMaxBytes ${maxBytes}`;
      if (size > maxBytes) refuse(`message size ${size} is ${most}`, Code.ResourceExhausted);
      else if (length > maxBytes + envelopeBytes) refuse(`message size is ${most}`, Code.ResourceExhausted);
    };
    request.on("data", take);
    request.once("end", () => {
      const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      if (length === 0) return refuse("protocol error: missing input message for unary method", Code.Unimplemented);
      const end = length < envelopeBytes ? Infinity : envelopeBytes + bytes.readUInt32BE(1);
      if (length < end) return refuse("protocol error: incomplete envelope", Code.InvalidArgument);
      if (length > end) {
        return refuse("protocol error: received extra input message for unary method", Code.Unimplemented);
      }
      if (((bytes[0] ?? 0) & 1) === 1) {
        return refuse("received compressed envelope, but do not know how to decompress", Code.Internal);
      }
      resolve(bytes.subarray(envelopeBytes));
    });
    const onGone = (): void => reject(new ConnectError("The caller is gone", Code.Canceled));
    request.once("aborted", onGone).once("error", onGone);
  });
}

function accepts({ headers }: Http2ServerRequest, name: string): boolean {
  const accepted = oneOf(headers["grpc-accept-encoding"]) ?? "";
  return accepted.split(",").some((each) => each.trim() === name);
}

function oneOf(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}
