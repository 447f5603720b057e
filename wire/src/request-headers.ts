import { requestHeader } from "@connectrpc/connect/protocol-grpc";
import type { OutgoingHttpHeaders } from "node:http2";
import { nodeHeaders } from "./node-headers.ts";

/**
 * The headers of a gRPC request, as Connect makes them and Node takes them. Those of a caller who gives the same frozen
 * record again and again are made once.
 */
export class RequestHeaders {
  readonly #known = new WeakMap<object, OutgoingHttpHeaders>();

  of(header: HeadersInit | undefined, timeoutMs: number | undefined): OutgoingHttpHeaders {
    const headers = this.#without(header);
    return timeoutMs === undefined ? headers : { ...headers, "grpc-timeout": `${timeoutMs}m` };
  }

  #without(header: HeadersInit | undefined): OutgoingHttpHeaders {
    if (header === undefined || !isConstant(header)) return nodeHeaders(requestHeader(true, undefined, header));
    let headers = this.#known.get(header);
    if (headers === undefined) {
      headers = nodeHeaders(requestHeader(true, undefined, header));
      this.#known.set(header, headers);
    }
    return headers;
  }
}

/** Whether it can never be another: a frozen array, or frozen `Headers`, still can. */
function isConstant(header: HeadersInit): boolean {
  return Object.isFrozen(header) && Object.getPrototypeOf(header) === Object.prototype;
}
