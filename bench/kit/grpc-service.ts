import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, DescMethod, DescService, Message } from "@bufbuild/protobuf";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

/** A service for @grpc/grpc-js, its messages read and written by protobuf-es. */
export function grpcService(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, definitionOf(service, method)]));
}

function definitionOf(service: DescService, method: DescMethod): MethodDefinition<Message, Message> {
  const write = (desc: DescMessage) => (message: Message) => Buffer.from(toBinary(desc, message));
  const read = (desc: DescMessage) => (bytes: Buffer) => fromBinary(desc, bytes);
  return {
    path: `/${service.typeName}/${method.name}`,
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: write(method.input),
    requestDeserialize: read(method.input),
    responseSerialize: write(method.output),
    responseDeserialize: read(method.output),
  };
}
