import { createContextKey } from "@connectrpc/connect";
import type { ContextValues, Interceptor } from "@connectrpc/connect";
import { universalRequestFromNodeRequest } from "@connectrpc/connect-node";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Readable } from "node:stream";
import { serverInterceptor } from "./interceptor.ts";
import { Lane } from "./lane.ts";
import { piecesOf } from "./outgoing.ts";
import { readStream } from "./read-stream.ts";
import { nodeHeaders } from "./node-headers.ts";
import { reuseMemory } from "./reuse-memory.ts";
import { writeToPeer } from "./write-to-peer.ts";

type NodeRequest = IncomingMessage | Http2ServerRequest;
type NodeResponse = ServerResponse | Http2ServerResponse;

const laneKey = createContextKey<Lane | undefined>(undefined, { description: "a call's large messages" });

/** Takes the large messages of streams past Connect's pipeline. It has to be the first interceptor: next to the wire. */
export const wireInterceptor: Interceptor = serverInterceptor(({ contextValues }) => contextValues.get(laneKey));

/** The request as Connect takes it. Throws where it has no host or its URL is malformed. */
export function readRequest(
  request: NodeRequest,
  response: NodeResponse,
  contextValues: ContextValues,
  readMaxBytes: number,
): UniversalServerRequest {
  const universal = universalRequestFromNodeRequest(request, response, undefined, contextValues);
  if (!isBinaryStream(request)) return "stream" in request ? universal : { ...universal, body: undestroyed(request) };
  const lane = new Lane();
  lane.held = contextValues.get(reuseMemory);
  contextValues.set(laneKey, lane);
  // Of HTTP/2 the stream itself, past the queue that Node's compatibility layer puts behind it. That one has to learn of
  // the end all the same, or the request never counts as complete.
  const stream = ("stream" in request ? request.stream : request) as Readable;
  const onEnd = (): void => void request.resume();
  const body = readStream(stream, lane, readMaxBytes, onEnd);
  response.once("finish", () => body.drop());
  lane.onDeadline = (error) => body.drop(error);
  return { ...universal, body };
}

/** An iterator that is left destroys an HTTP/1.1 request, and with it the connection that its answer should go by. */
function undestroyed(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false }) };
}

/** Writes Connect's response, and the large messages of its stream. */
export async function writeResponse(
  { body, status, header, trailer }: UniversalServerResponse,
  response: NodeResponse,
  contextValues: ContextValues,
): Promise<void> {
  const lane = contextValues.get(laneKey);
  const iterator = body?.[Symbol.asyncIterator]();
  let isWriting = false;
  const head = (): void => {
    // The two kinds of responses have the same method under two types.
    if (!response.headersSent) (response as ServerResponse).writeHead(status, nodeHeaders(header));
  };
  try {
    if (iterator !== undefined) {
      for (let chunk = await iterator.next(); chunk.done !== true; chunk = await iterator.next()) {
        isWriting = true;
        // Only now: until its first bytes a call may add headers.
        head();
        await writeToPeer(response, piecesOf(lane, chunk.value));
        isWriting = false;
      }
    }
    head();
    if (trailer !== undefined) response.addTrailers(nodeHeaders(trailer));
    response.end();
  } catch (error) {
    if (isWriting) iterator?.throw?.(error).catch(() => {});
    throw error;
  } finally {
    iterator?.return?.().catch(() => {});
  }
}

/** Those whose messages are JSON, or no envelopes, are Connect's alone. */
function isBinaryStream({ headers }: NodeRequest): boolean {
  return /^application\/(grpc(-web)?(\+proto)?|connect\+proto)\s*(;|$)/i.test(headers["content-type"] ?? "");
}
