import { create } from "@bufbuild/protobuf";
import type { DescMethodServerStreaming, Message, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext, Interceptor, MethodImpl, StreamRequest, StreamResponse } from "@connectrpc/connect";
import { withNext } from "./with-next.ts";

/**
 * Lets a handler answer one request with a stream of replies, through the interceptors: what Connect's
 * `transformInvokeImplementation` does, without the four asynchronous generators that it puts around each reply.
 */
export async function invokeStream<M extends DescMethodServerStreaming>(
  method: M,
  impl: MethodImpl<M>,
  context: HandlerContext,
  interceptors: readonly Interceptor[],
  request: MessageShape<M["input"]>,
): Promise<AsyncIterator<Message>> {
  const { parent: service } = method;
  const { requestMethod, url, signal, requestHeader, responseHeader, responseTrailer, values } = context;
  const answer = async (asked: StreamRequest): Promise<StreamResponse> => {
    const message = await onlyOf(asked.message as AsyncIterable<MessageShape<M["input"]>>);
    const { header, contextValues } = asked;
    const replies = (impl as (request: Message, context: HandlerContext) => AsyncIterable<Message>)(message, {
      ...context,
      requestHeader: header,
      signal: asked.signal,
      values: contextValues,
    });
    const whole = { [Symbol.asyncIterator]: () => complete(method, replies[Symbol.asyncIterator]()) };
    return { stream: true, service, method, header: responseHeader, trailer: responseTrailer, message: whole };
  };
  type Handler = (request: StreamRequest) => Promise<StreamResponse>;
  const handler = interceptors.reduceRight<Handler>((next, each) => each(next as never) as Handler, answer);
  const response = await handler({
    stream: true,
    service,
    method,
    requestMethod,
    url,
    signal,
    header: requestHeader,
    contextValues: values,
    message: once(request),
  });
  replace(responseHeader, response.header);
  const replies = response.message[Symbol.asyncIterator]() as AsyncIterator<Message>;
  if (response.trailer === responseTrailer) return replies;
  return withNext(replies, async () => {
    const next = await replies.next();
    if (next.done === true) replace(responseTrailer, response.trailer);
    return next;
  });
}

/** Handlers may leave out of a reply what is not set. */
function complete({ output }: DescMethodServerStreaming, replies: AsyncIterator<Message>): AsyncIterator<Message> {
  const take = (next: IteratorResult<Message>): IteratorResult<Message> =>
    next.done === true ? next : { done: false, value: create(output, next.value) };
  return withNext(replies, () => replies.next().then(take));
}

function once<T>(value: T): AsyncIterable<T> {
  let isTaken = false;
  const next = async (): Promise<IteratorResult<T>> => {
    if (isTaken) return { done: true, value: undefined };
    isTaken = true;
    return { done: false, value };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

async function onlyOf<T>(messages: AsyncIterable<T>): Promise<T> {
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) throw protocolError("missing input message for server-streaming method");
  const second = await iterator.next();
  if (second.done !== true) throw protocolError("received extra input message for server-streaming method");
  return first.value;
}

function protocolError(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what}`, Code.Unimplemented);
}

/** An interceptor may have put others in their place. */
function replace(headers: Headers, others: Headers): void {
  if (headers === others) return;
  const names = [...headers.keys()];
  for (const name of names) headers.delete(name);
  for (const [name, value] of others) headers.append(name, value);
}
