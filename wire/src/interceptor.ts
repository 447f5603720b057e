import type { DescMessage, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Interceptor, StreamRequest, StreamResponse } from "@connectrpc/connect";
import { headerGrpcStatus } from "@connectrpc/connect/protocol-grpc";
import { gather } from "./gather.ts";
import type { Lane } from "./lane.ts";
import { withNext } from "./with-next.ts";

type Messages = AsyncIterable<Message>;

/** Next to the wire of a client, so the last of its interceptors: what goes out are requests. */
export function clientInterceptor(laneOf: (request: StreamRequest) => Lane | undefined): Interceptor {
  return (next) => async (request) => {
    const lane = request.stream ? laneOf(request) : undefined;
    if (!request.stream || lane === undefined) return await next(request);
    const { input, output } = request.method;
    lane.types = { incoming: output, outgoing: input };
    const message = tokensFor(input, request.message as Messages, lane) as StreamRequest["message"];
    const response = (await next({ ...request, message })) as StreamResponse;
    const messages = messagesFor(response.message as Messages, lane, ofReply) as StreamResponse["message"];
    // Of a reply without messages the trailers may come as headers, which Connect leaves where they are.
    const trailer = response.header.has(headerGrpcStatus) ? response.header : response.trailer;
    return { ...response, trailer, message: messages };
  };
}

/** Next to the wire of a server, so the first of its interceptors: what goes out are replies. */
export function serverInterceptor(laneOf: (request: StreamRequest) => Lane | undefined): Interceptor {
  return (next) => async (request) => {
    const lane = request.stream ? laneOf(request) : undefined;
    if (!request.stream || lane === undefined) return await next(request);
    const { input, output } = request.method;
    lane.types = { incoming: input, outgoing: output };
    const { signal } = request;
    // Connect tells the handler alone, who may be waiting for the next message.
    const onAbort = (): void => {
      const reason: unknown = signal.reason;
      if (reason instanceof ConnectError && reason.code === Code.DeadlineExceeded) lane.onDeadline?.(reason);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    const message = messagesFor(request.message as Messages, lane) as StreamRequest["message"];
    const response = (await next({ ...request, message })) as StreamResponse;
    const tokens = tokensFor(output, response.message as Messages, lane) as StreamResponse["message"];
    return { ...response, message: tokens };
  };
}

/** Takes the large messages out of the stream, and leaves a token for each. */
function tokensFor(type: DescMessage, messages: Messages, lane: Lane): Messages {
  const token = create(type);
  return mapped(messages, (message) => {
    const gathered = gather(type, message);
    lane.outgoing.push(gathered);
    return gathered === undefined ? message : token;
  });
}

/** Connect says invalid_argument of a reply that was cut, as if it was the caller's fault. */
function ofReply(error: unknown): unknown {
  if (!(error instanceof ConnectError) || error.isWireError || error.code !== Code.InvalidArgument) return error;
  if (!error.rawMessage.startsWith("protocol error")) return error;
  return new ConnectError(error.rawMessage, Code.Internal, error.metadata, undefined, error);
}

/** Puts the large messages back where a token stands for each; an error goes through `mapError`. */
function messagesFor(messages: Messages, lane: Lane, mapError?: (error: unknown) => unknown): Messages {
  const lent: (Uint8Array | undefined)[] = [];
  return mapped(
    messages,
    (message) => {
      const large = lane.shift();
      lent.push(large?.memory);
      return large?.message ?? message;
    },
    () => {
      if (lent.length < Math.max(1, lane.held)) return;
      const memory = lent.shift();
      if (memory !== undefined) lane.giveBack(memory);
    },
    mapError,
  );
}

/** The iterable with its values mapped, and its error; `before` is called whenever one is asked for. */
function mapped(
  source: Messages,
  map: (message: Message) => Message,
  before?: () => void,
  mapError = (error: unknown) => error,
): Messages {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      const take = (result: IteratorResult<Message>): IteratorResult<Message> =>
        result.done === true ? result : { done: false, value: map(result.value) };
      const fail = (error: unknown): never => {
        throw mapError(error);
      };
      return withNext(iterator, () => {
        before?.();
        return iterator.next().then(take, fail);
      });
    },
  };
}
