import type { DescMethod, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ConnectRouterOptions, ContextValues, HandlerContext } from "@connectrpc/connect";
import { parseTimeout, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { createCallContext } from "./call-context.ts";
import type { CallContext } from "./call-context.ts";
import { FullFrames } from "./full-frames.ts";
import { MessageMemory } from "./message-memory.ts";
import { MessageReader } from "./message-reader.ts";
import { nodeHeaders } from "./node-headers.ts";
import { writeToPeer } from "./write-to-peer.ts";

/** Connect lets each call's signal end with a DOMException of its own, with a stack that nobody reads. */
const callIsOver = new Error("the call is over");

/** A call over gRPC and HTTP/2 on its server, with one request: its context, and its answer. */
export class HandlerCall<M extends DescMethod> {
  readonly #call: CallContext;
  readonly #method: M;
  readonly #options: ConnectRouterOptions;
  readonly #request: Http2ServerRequest;
  readonly #response: Http2ServerResponse;
  readonly #frames: FullFrames;
  readonly #timeoutError: ConnectError | undefined;

  constructor(
    method: M,
    options: ConnectRouterOptions,
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    contextValues: ContextValues,
  ) {
    this.#method = method;
    this.#options = options;
    this.#request = request;
    this.#response = response;
    this.#frames = new FullFrames(response.stream);
    const { maxTimeoutMs = Number.MAX_SAFE_INTEGER, shutdownSignal } = options;
    const { timeoutMs, error } = parseTimeout(oneOf(request.headers["grpc-timeout"]), maxTimeoutMs);
    this.#timeoutError = error;
    this.#call = createCallContext({ method, request, timeoutMs, shutdownSignal, contextValues });
    const { stream } = response;
    stream.once("close", () => {
      // A stream that is reset counts as finished.
      const isAnswered = stream.rstCode === 0 && stream.writableFinished;
      this.#call.abort(isAnswered ? callIsOver : callerIsGone());
    });
  }

  get context(): HandlerContext {
    return this.#call.context;
  }

  /** The request, if the gate lets the call in. */
  async request(): Promise<MessageShape<M["input"]>> {
    await this.#options.requestGate?.(this.context);
    if (this.#timeoutError !== undefined) throw this.#timeoutError;
    return await readMessage(
      this.#request,
      this.#method,
      this.#options.readMaxBytes ?? 0xffffffff,
      this.context.signal,
    );
  }

  /** Sends the headers, if they are not on their way: until then more can be added. */
  #sendHead(): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, nodeHeaders(this.context.responseHeader));
  }

  /** Sends the headers, if they are not on their way, and pieces. Resolves when more can be sent. */
  async write(pieces: readonly Uint8Array[]): Promise<void> {
    this.#sendHead();
    await writeToPeer(this.#response, pieces, this.#frames);
  }

  /** Sends the last pieces, and that all went well. */
  end(pieces: readonly Uint8Array[] = []): void {
    this.#call.settle();
    this.#finish(pieces);
  }

  /** Says what went wrong; of what no interceptor has mapped, only that something did. */
  fail(error: unknown): void {
    this.#call.abort(error);
    const known =
      error instanceof ConnectError
        ? error
        : new ConnectError("internal error", Code.Internal, undefined, undefined, error);
    setTrailerStatus(this.context.responseTrailer, known);
    this.#finish([]);
  }

  #finish(pieces: readonly Uint8Array[]): void {
    const { stream } = this.#response;
    if (stream.destroyed) return;
    this.#sendHead();
    this.#response.addTrailers(nodeHeaders(this.context.responseTrailer));
    stream.cork();
    this.#frames.flush();
    for (const piece of pieces) stream.write(piece);
    this.#response.end();
    stream.uncork();
  }
}

/**
 * The one message of a request, in the words of Connect where it is none. Until the call's signal: neither a deadline nor a
 * shutdown waits for a caller who sends half of it.
 */
function readMessage<M extends DescMethod>(
  request: Http2ServerRequest,
  { input, methodKind }: M,
  maxBytes: number,
  signal: AbortSignal,
): Promise<MessageShape<M["input"]>> {
  // Of the stream itself, past the queue that Node's compatibility layer puts behind it.
  const { stream } = request;
  const kind = methodKind.replace("_", "-");
  const messages = new MessageReader<M["input"]>(input, maxBytes, new MessageMemory());
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => {
      stream.off("data", take).resume();
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      try {
        messages.push(chunk);
        if (messages.ready.length > 1) throw protocolError(`received extra input message for ${kind} method`);
      } catch (error) {
        refuse(error);
      }
    };
    stream.on("data", take);
    stream.once("end", () => {
      // That one has to learn of the end all the same, or the request never counts as complete.
      request.resume();
      const [only] = messages.ready;
      if (messages.isCut) refuse(new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument));
      else if (only === undefined) refuse(protocolError(`missing input message for ${kind} method`));
      else resolve(only.message);
    });
    if (signal.aborted) refuse(signal.reason);
    else signal.addEventListener("abort", () => refuse(signal.reason), { once: true });
  });
}

function protocolError(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what}`, Code.Unimplemented);
}

function callerIsGone(): ConnectError {
  return new ConnectError("The caller is gone", Code.Canceled);
}

function oneOf(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}
