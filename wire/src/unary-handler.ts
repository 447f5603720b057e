import type { DescMethodUnary } from "@bufbuild/protobuf";
import type { ConnectRouterOptions, MethodImpl } from "@connectrpc/connect";
import { invokeUnaryImplementation } from "@connectrpc/connect/protocol";
import { compressed, compressionFor } from "./compression.ts";
import { envelopeOf } from "./envelope.ts";
import type { GrpcHandler } from "./grpc-router.ts";
import { HandlerCall } from "./handler-call.ts";

/** Answers a call with one request and one reply. */
export function createUnaryHandler<M extends DescMethodUnary>(
  method: M,
  impl: MethodImpl<M>,
  options: ConnectRouterOptions,
): GrpcHandler {
  const spec = { kind: "unary", method, impl } as Parameters<
    typeof invokeUnaryImplementation<M["input"], M["output"]>
  >[0];
  const { interceptors = [] } = options;
  return async (request, response, contextValues) => {
    const call = new HandlerCall(method, options, request, response, contextValues);
    try {
      const input = await call.request();
      const output = await invokeUnaryImplementation(spec, call.context, input, [...interceptors]);
      const plain = envelopeOf(method.output, output);
      const compression = compressionFor(request, options);
      const envelope = compression === undefined ? plain : await compressed(plain, compression, options);
      if (compression !== undefined && envelope !== plain) {
        call.context.responseHeader.set("grpc-encoding", compression.name);
      }
      call.end(envelope);
    } catch (error) {
      call.fail(error);
    }
  };
}
