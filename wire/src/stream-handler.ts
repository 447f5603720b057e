import type { DescMethodServerStreaming, Message } from "@bufbuild/protobuf";
import type { ConnectRouterOptions, MethodImpl } from "@connectrpc/connect";
import { compressed, compressionFor } from "./compression.ts";
import { envelopeOf } from "./envelope.ts";
import type { GrpcHandler } from "./grpc-router.ts";
import { HandlerCall } from "./handler-call.ts";
import { invokeStream } from "./invoke-stream.ts";

/** Answers a call with one request and a stream of replies. */
export function createStreamHandler<M extends DescMethodServerStreaming>(
  method: M,
  impl: MethodImpl<M>,
  options: ConnectRouterOptions,
): GrpcHandler {
  const { interceptors = [] } = options;
  return async (request, response, contextValues) => {
    const call = new HandlerCall(method, options, request, response, contextValues);
    const { context } = call;
    const compression = compressionFor(request, options);
    if (compression !== undefined) context.responseHeader.set("grpc-encoding", compression.name);
    let replies: AsyncIterator<Message> | undefined;
    try {
      replies = await invokeStream(method, impl, context, interceptors, await call.request());
      for (let next = await replies.next(); next.done !== true; next = await replies.next()) {
        const plain = envelopeOf(method.output, next.value);
        const envelope = compression === undefined ? plain : await compressed(plain, compression, options);
        await call.write(envelope);
      }
      call.end();
    } catch (error) {
      call.fail(error);
    } finally {
      // Where its peer has gone, it may still stand at a reply.
      replies?.return?.().catch(() => {});
    }
  };
}
