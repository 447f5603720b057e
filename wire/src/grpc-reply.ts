import { Code, ConnectError } from "@connectrpc/connect";
import { headerGrpcStatus, validateResponseWithCompression, validateTrailer } from "@connectrpc/connect/protocol-grpc";
import type { IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import { webHeaders } from "./node-headers.ts";

/** What a reply's headers say. */
export interface ReplyHead {
  readonly header: Headers;
  /** The status, where they have it already and it is not OK. */
  readonly error: ConnectError | undefined;
}

/** Reads a reply's headers as Connect does. Throws where they are not those of gRPC. */
export function readHead(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): ReplyHead {
  const header = webHeaders(headers);
  const { headerError } = validateResponseWithCompression([], headers[":status"] ?? 0, header);
  return { header, error: headerError };
}

/**
 * Reads the end of a reply as Connect does: its trailers, which go into `trailer`. Throws where they tell of an error, or
 * the reply is not complete.
 */
export function readEnd(
  messages: { readonly isCut: boolean },
  head: ReplyHead | undefined,
  trailers: IncomingHttpHeaders,
  trailer: Headers,
): ReplyHead {
  if (messages.isCut) throw new ConnectError("protocol error: incomplete envelope", Code.Internal);
  if (head === undefined) throw new ConnectError("protocol error: missing headers", Code.Internal);
  webHeaders(trailers, trailer);
  validateTrailer(trailer, head.header);
  return head;
}

/** The one message of a reply. Throws where there is none, or more. */
export function onlyMessage<M>(messages: readonly { readonly message: M }[], head: ReplyHead, trailer: Headers): M {
  const [first, ...others] = messages;
  if (others.length > 0) {
    throw new ConnectError("protocol error: received extra output message for unary method", Code.Unimplemented);
  }
  if (first === undefined) {
    if (head.error !== undefined) throw head.error;
    const code = trailer.has(headerGrpcStatus) ? Code.Unimplemented : Code.Unknown;
    throw new ConnectError("protocol error: missing output message for unary method", code);
  }
  if (head.error !== undefined) {
    throw new ConnectError("protocol error: received output message for unary method with error status", Code.Unknown);
  }
  return first.message;
}
