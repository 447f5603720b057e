import type { DescMessage, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, StreamResponse } from "@connectrpc/connect";
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
    return { ...response, message: messagesFor(response.message as Messages, lane) as StreamResponse["message"] };
  };
}

/** Next to the wire of a server, so the first of its interceptors: what goes out are replies. */
export function serverInterceptor(laneOf: (request: StreamRequest) => Lane | undefined): Interceptor {
  return (next) => async (request) => {
    const lane = request.stream ? laneOf(request) : undefined;
    if (!request.stream || lane === undefined) return await next(request);
    const { input, output } = request.method;
    lane.types = { incoming: input, outgoing: output };
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

/** Puts the large messages back where a token stands for each. */
function messagesFor(messages: Messages, lane: Lane): Messages {
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
  );
}

/** The iterable with its values mapped; `before` is called whenever one is asked for. */
function mapped(source: Messages, map: (message: Message) => Message, before?: () => void): Messages {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      const take = (result: IteratorResult<Message>): IteratorResult<Message> =>
        result.done === true ? result : { done: false, value: map(result.value) };
      return withNext(iterator, () => {
        before?.();
        return iterator.next().then(take);
      });
    },
  };
}
