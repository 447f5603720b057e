import type { ServerResponse } from "node:http";
import type { NodeRequest, NodeResponse } from "./node-types.ts";

/**
 * Closes an HTTP/1.1 connection after an answer that came before its request was read (a key refused, a message too
 * large): the rest of the body would be taken for the next request, which then hangs.
 */
export function guardKeepAlive(request: NodeRequest, response: NodeResponse, isStopping: () => boolean): void {
  if ("stream" in response) return;
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) => {
    if (!request.complete || isStopping()) response.shouldKeepAlive = false;
    return writeHead(...args);
  };
}
