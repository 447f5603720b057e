import type { DescFile, MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { ServiceImpl } from "@connectrpc/connect";
import type {
  ServerReflection,
  ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "@yonder/proto/grpc/reflection/v1/reflection";
import { serializeWithDependencies } from "./descriptor-index.ts";
import type { DescriptorIndex } from "./descriptor-index.ts";

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;

/**
 * grpc.reflection.v1.ServerReflection; v1alpha differs in nothing but its name, so the same implementation serves it.
 * The index is asked for at the first call, when all services are registered.
 */
export function createReflectionService(index: () => DescriptorIndex): ServiceImpl<typeof ServerReflection> {
  return {
    async *serverReflectionInfo(requests) {
      // What went out on this stream is not sent again.
      const sent = new Set<string>();
      for await (const request of requests) {
        const messageResponse = answer(index(), request, sent);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  };
}

function answer(index: DescriptorIndex, request: ServerReflectionRequest, sent: Set<string>): Answer {
  const { messageRequest } = request;
  switch (messageRequest.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: index.services.map((name) => ({ name })) } };
    case "fileByFilename":
      return file(index.fileByName(messageRequest.value), `file ${messageRequest.value}`, sent);
    case "fileContainingSymbol":
      return file(index.fileBySymbol(messageRequest.value), `symbol ${messageRequest.value}`, sent);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = messageRequest.value;
      const found = index.fileByExtension(containingType, extensionNumber);
      return file(found, `extension ${extensionNumber} of ${containingType}`, sent);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.extensionNumbers(messageRequest.value);
      if (extensionNumber === undefined)
        return error(Code.NotFound, `There is no message ${messageRequest.value} here`);
      return {
        case: "allExtensionNumbersResponse",
        value: { baseTypeName: messageRequest.value, extensionNumber },
      };
    }
    default:
      return error(Code.InvalidArgument, "The request asks for nothing that is known here");
  }
}

function file(found: DescFile | undefined, what: string, sent: Set<string>): Answer {
  if (found === undefined) return error(Code.NotFound, `There is no ${what} here`);
  const fileDescriptorProto = serializeWithDependencies(found, sent);
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function error(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
