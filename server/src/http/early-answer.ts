import type { ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { Http2ServerResponse } from "node:http2";
import type { NodeRequest, NodeResponse } from "./node-types.ts";

/**
 * Lets an answer that comes before its request was read (a key refused, a message too large) do no harm to the calls
 * after it. Node goes on with the connection as if nothing was left of the request.
 */
export function guardEarlyAnswer(request: NodeRequest, response: NodeResponse, isStopping: () => boolean): void {
  if ("stream" in response) resetStream(request, response);
  else closeConnection(request, response, isStopping);
}

/** Over HTTP/1.1 the rest of the body would be taken for the next request, which then hangs. */
function closeConnection(request: NodeRequest, response: ServerResponse, isStopping: () => boolean): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) => {
    if (!request.complete || isStopping()) response.shouldKeepAlive = false;
    return writeHead(...args);
  };
}

/**
 * Over HTTP/2 the stream would stay open for as long as its client likes, and what it has sent fill the connection's
 * window. RFC 9113 has a reset without an error for this (8.1).
 */
function resetStream(request: NodeRequest, { stream }: Http2ServerResponse): void {
  // The last thing before the stream's end: the trailers are sent by Node's own listener, before this one.
  stream.once("wantTrailers", () => {
    setImmediate(() => {
      if (request.complete || stream.destroyed) return;
      stream.close(constants.NGHTTP2_NO_ERROR);
      // Closed, it would still wait for somebody to read what it has received.
      stream.destroy();
    });
  });
}
