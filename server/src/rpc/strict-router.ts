import type { DescMessage, DescMethod, DescService, JsonReadOptions, JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ConnectRouter, MethodImpl } from "@connectrpc/connect";
import { toConnectError } from "./error-map.ts";
import { isActing } from "./is-acting.ts";
import { findUnknownKey, unknownField } from "./unknown-fields.ts";

type MethodOptions = NonNullable<Parameters<ConnectRouter["rpc"]>[2]>;

/**
 * A router that gives each method the options that follow from its kind: acting methods take no unknown keys in JSON,
 * and streams are not compressed.
 */
export function createStrictRouter(router: ConnectRouter): ConnectRouter {
  const strict: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, options) {
      for (const method of service.methods) {
        strict.rpc(method, bindMethod(service, method, implementation), options);
      }
      return strict;
    },
    rpc(method, implementation, options) {
      router.rpc(method, implementation, { ...optionsFor(method), ...options });
      return strict;
    },
  };
  return strict;
}

function optionsFor(method: DescMethod): MethodOptions {
  const options: MethodOptions = {};
  // Command output and files are mostly compressed already or too fast for gzip: it costs a stream three quarters of its
  // throughput. Requests may still come compressed.
  if (method.methodKind !== "unary") options.compressMinBytes = never;
  if (isActing(method)) options.jsonOptions = strictJson(method.input);
  return options;
}

/**
 * JSON is parsed before any interceptor sees the request, and the parser's own refusal bears no detail. So the check sits
 * in the decoder that Connect's JSON serialization takes along with its options, the last place that sees every key.
 */
function strictJson(desc: DescMessage): Partial<JsonReadOptions> {
  const decoder = new TextDecoder();
  const options: Partial<JsonReadOptions> & { textDecoder: { decode(data: Uint8Array): string } } = {
    ignoreUnknownFields: false,
    textDecoder: {
      decode(data) {
        const text = decoder.decode(data);
        const unknown = findUnknownKey(desc, parse(text));
        if (unknown !== undefined) throw toConnectError(unknownField(desc, unknown), () => {});
        return text;
      },
    },
  };
  return options;
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // The real parser says what is wrong with it.
    return null;
  }
}

function bindMethod<M extends DescMethod>(service: DescService, method: M, implementation: object): MethodImpl<M> {
  const found: unknown = (implementation as Record<string, unknown>)[method.localName];
  const unimplemented = (): never => {
    throw new ConnectError(`${service.typeName}.${method.name} is not implemented`, Code.Unimplemented);
  };
  // The compiler cannot see that a service's method of this name is this method's implementation.
  return (typeof found === "function" ? found.bind(implementation) : unimplemented) as MethodImpl<M>;
}

const never = 0xffffffff;
