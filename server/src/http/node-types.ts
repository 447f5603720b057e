import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** Node has one pair of classes for HTTP/1.1 and one for HTTP/2, alike in what is used here. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

/** Answers with a status and, where there is one, a line of text. */
export function reply(response: NodeResponse, status: number, headers: OutgoingHttpHeaders = {}, text = ""): void {
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
  if (text !== "") response.setHeader("content-type", "text/plain; charset=utf-8");
  response.statusCode = status;
  response.end(text === "" ? "" : `${text}\n`);
}
