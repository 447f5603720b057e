import { Code, ConnectError } from "@connectrpc/connect";
import {
  contentTypeProto,
  grpcStatusOk,
  headerGrpcMessage,
  headerGrpcStatus,
  validateResponseWithCompression,
  validateTrailer,
} from "@connectrpc/connect/protocol-grpc";
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
  if (isGood(headers)) return new GoodHead(headers);
  const header = withReadableMessage(webHeaders(headers));
  const { headerError } = validateResponseWithCompression([], headers[":status"] ?? 0, header);
  return { header, error: headerError };
}

/** Whether they are such as most are, of which Connect has nothing to say. */
function isGood(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): boolean {
  return (
    headers[":status"] === 200 &&
    headers["content-type"] === contentTypeProto &&
    headers["grpc-status"] === undefined &&
    headers["grpc-status-details-bin"] === undefined &&
    headers["grpc-encoding"] === undefined
  );
}

/** Most callers do not ask for the headers. */
class GoodHead implements ReplyHead {
  readonly error = undefined;
  readonly #headers: IncomingHttpHeaders;
  #header: Headers | undefined;

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers;
  }

  get header(): Headers {
    return (this.#header ??= webHeaders(this.#headers));
  }
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
  const isOk = trailers["grpc-status"] === grpcStatusOk && trailers["grpc-status-details-bin"] === undefined;
  if (!isOk) validateTrailer(withReadableMessage(trailer), head.header);
  return head;
}

/** An error that is not percent-encoded as it should be is an error all the same, and its words are told as they are. */
function withReadableMessage(headers: Headers): Headers {
  const message = headers.get(headerGrpcMessage);
  try {
    if (message !== null) decodeURIComponent(message);
  } catch {
    headers.set(headerGrpcMessage, encodeURIComponent(message ?? ""));
  }
  return headers;
}

/** What is wrong with a second message where there is to be one. */
export function extraMessage(): ConnectError {
  return new ConnectError("protocol error: received extra output message for unary method", Code.Unimplemented);
}

/** The one message of a reply. Throws where there is none, or more. */
export function onlyMessage<M>(messages: readonly { readonly message: M }[], head: ReplyHead, trailer: Headers): M {
  const [first, ...others] = messages;
  if (others.length > 0) throw extraMessage();
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
