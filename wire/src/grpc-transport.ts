import { create } from "@bufbuild/protobuf";
import type { DescMessage, DescMethod, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectError, StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import type { IncomingHttpHeaders } from "node:http2";
import { CallStream } from "./call-stream.ts";
import type { CallEvents } from "./call-stream.ts";
import { envelopeOf } from "./envelope.ts";
import { extraMessage, onlyMessage, readEnd, readHead } from "./grpc-reply.ts";
import type { ReplyHead } from "./grpc-reply.ts";
import { MessageMemory } from "./message-memory.ts";
import { MessageReader } from "./message-reader.ts";
import { errorOfNode } from "./node-error.ts";
import { ReplyStream } from "./reply-stream.ts";
import { RequestHeaders } from "./request-headers.ts";
import { reuseMemory } from "./reuse-memory.ts";
import type { Sessions } from "./sessions.ts";

export interface GrpcTransportOptions {
  readonly baseUrl: string;
  readonly sessions: Sessions;
  /** The largest message that is read, in bytes. */
  readonly readMaxBytes: number;
}

/**
 * gRPC in binary over HTTP/2 without Connect's pipeline, which has a dozen asynchronous iterators for each call. Headers,
 * limits, deadlines and errors are Connect's, and connect-node's `createGrpcTransport` can take its place.
 */
export function createGrpcTransport({ baseUrl, sessions, readMaxBytes }: GrpcTransportOptions): Transport {
  const prefix = new URL(baseUrl).pathname.replace(/\/$/, "");
  const pathOf = (method: DescMethod): string => `${prefix}/${method.parent.typeName}/${method.name}`;
  const requestHeaders = new RequestHeaders();
  return {
    async unary(method, signal, timeoutMs, header, message) {
      const headers = requestHeaders.of(header, deadline(timeoutMs));
      const request = envelopeOf(method.input, create(method.input, message));
      return await new Promise<UnaryResponse<typeof method.input, typeof method.output>>((resolve, reject) => {
        const events = new UnaryCall(method, readMaxBytes, resolve, reject);
        const call = new CallStream({ signal, timeoutMs: deadline(timeoutMs), events });
        void call.open(sessions, pathOf(method), headers).then(() => call.end(request));
      });
    },

    async stream(method, signal, timeoutMs, header, input, contextValues) {
      const headers = requestHeaders.of(header, deadline(timeoutMs));
      const requests = input[Symbol.asyncIterator]();
      const memory = new MessageMemory();
      memory.held = contextValues?.get(reuseMemory) ?? 0;
      const replies = new ReplyStream(method.output, readMaxBytes, memory, (error) => letGo(requests, error));
      const call = new CallStream({ signal, timeoutMs: deadline(timeoutMs), events: replies });
      void call.open(sessions, pathOf(method), headers).then(() => send(method, requests, call));
      const head = await replies.head(call);
      const reply: StreamResponse<typeof method.input, typeof method.output> = {
        stream: true,
        service: method.parent,
        method,
        get header() {
          return head.header;
        },
        trailer: replies.trailer,
        message: { [Symbol.asyncIterator]: () => ({ next: () => replies.next() }) },
      };
      return reply;
    },
  };
}

/** A call with one reply, which is what its promise waits for. */
class UnaryCall<M extends DescMethodUnary> implements CallEvents {
  readonly #method: M;
  readonly #resolve: (reply: UnaryResponse<M["input"], M["output"]>) => void;
  readonly onFailure: (error: ConnectError) => void;
  readonly #messages: MessageReader<M["output"]>;
  #head: ReplyHead | undefined;

  constructor(
    method: M,
    maxBytes: number,
    resolve: (reply: UnaryResponse<M["input"], M["output"]>) => void,
    reject: (error: ConnectError) => void,
  ) {
    this.#method = method;
    this.#resolve = resolve;
    this.onFailure = reject;
    this.#messages = new MessageReader<M["output"]>(method.output, maxBytes, new MessageMemory());
  }

  onHead(headers: IncomingHttpHeaders): void {
    this.#head = readHead(headers);
  }

  onData(chunk: Uint8Array): void {
    this.#messages.push(chunk);
    // Not at the end only: there may be none.
    if (this.#messages.ready.length > 1) throw extraMessage();
  }

  onEnd(trailers: IncomingHttpHeaders): void {
    const trailer = new Headers();
    const head = readEnd(this.#messages, this.#head, trailers, trailer);
    const message = onlyMessage(this.#messages.ready, head, trailer);
    const { parent: service } = this.#method;
    this.#resolve({
      stream: false,
      service,
      method: this.#method,
      get header() {
        return head.header;
      },
      trailer,
      message,
    });
  }
}

/** Sends the requests as they come. */
async function send<I extends DescMessage>(
  { input, methodKind }: DescMethod & { readonly input: I },
  requests: AsyncIterator<MessageInitShape<I>>,
  call: CallStream,
): Promise<void> {
  const pieces: Uint8Array[] = [];
  try {
    for (let next = await requests.next(); next.done !== true && !call.isOver; next = await requests.next()) {
      const envelope = envelopeOf(input, create(input, next.value));
      // The one request of such a call leaves together with its end.
      if (methodKind === "server_streaming") pieces.push(...envelope);
      else await call.write(envelope);
    }
    call.end(pieces);
  } catch (error) {
    call.fail(errorOfNode(error));
  }
}

/** Nobody takes more requests: whoever makes them may clean up. */
function letGo(requests: AsyncIterator<unknown>, error: ConnectError | undefined): void {
  if (error !== undefined) requests.throw?.(error).catch(ignore);
  requests.return?.().catch(ignore);
}

function deadline(timeoutMs: number | undefined): number | undefined {
  return timeoutMs === undefined || timeoutMs <= 0 ? undefined : timeoutMs;
}

function ignore(): void {}
