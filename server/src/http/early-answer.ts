import type { IncomingMessage, ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { Http2ServerResponse } from "node:http2";
import type { NodeRequest, NodeResponse } from "./node-types.ts";

/**
 * Lets an answer that comes before its request was read (a key refused, a message too large) do no harm to the calls
 * after it. Node goes on with the connection as if nothing was left of the request.
 */
export function guardEarlyAnswer(request: NodeRequest, response: NodeResponse, isStopping: () => boolean): void {
  if ("stream" in response) resetStream(request, response);
  else closeConnection(request as IncomingMessage, response, isStopping);
}

/** Over HTTP/1.1 what is left of the body would have to be read, however long it is, before the next request. */
function closeConnection(request: IncomingMessage, response: ServerResponse, isStopping: () => boolean): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) => {
    if (!request.complete) closeSlowly(request);
    if (!request.complete || isStopping()) response.shouldKeepAlive = false;
    return writeHead(...args);
  };
}

/**
 * Whoever is sending when his connection is closed is told so by a failed write, and many a client, Go's for one, then
 * does not look for an answer. So ours is followed by the end of our half of it, and what he still sends is dropped until
 * he has ended his (RFC 9112, 9.6).
 */
function closeSlowly({ socket }: IncomingMessage): void {
  socket.destroySoon = () => {
    socket.end();
    // Past the parser: nothing that comes is a request any more.
    socket.removeAllListeners("data").on("data", ignore).resume();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
  };
}

/** How long a client may take to notice that it was answered. */
const lingerMs = 5_000;

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

function ignore(): void {}
