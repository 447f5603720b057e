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
    return timeoutMs === undefined ? headers : { ...headers, "grpc-timeout": grpcTimeout(timeoutMs) };
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

/** A whole number of eight digits at most: Connect writes any number of milliseconds, which servers refuse, its own too. */
function grpcTimeout(timeoutMs: number): string {
  if (timeoutMs <= mostDigits) return `${Math.ceil(timeoutMs)}m`;
  if (timeoutMs <= mostDigits * 1000) return `${Math.ceil(timeoutMs / 1000)}S`;
  return `${Math.min(mostDigits, Math.ceil(timeoutMs / 3_600_000))}H`;
}

const mostDigits = 99_999_999;

/** Whether it can never be another: a frozen array, or frozen `Headers`, still can. */
function isConstant(header: HeadersInit): boolean {
  return Object.isFrozen(header) && Object.getPrototypeOf(header) === Object.prototype;
}
