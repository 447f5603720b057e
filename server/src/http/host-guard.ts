import { isIP } from "node:net";
import { reply } from "./node-types.ts";
import type { NodeRequest, NodeResponse } from "./node-types.ts";

/**
 * For a server on loopback without a key: turns away requests that were sent to another name. A page in this machine's
 * browser can point a name of its own at 127.0.0.1 and call the server as if it were its own.
 *
 * Says whether the request is answered with that.
 */
export function createHostGuard(ownHost: string) {
  return (request: NodeRequest, response: NodeResponse): boolean => {
    const authority = request.headers[":authority"] ?? request.headers.host;
    const host = hostOf(String(authority ?? ""));
    if (host === "localhost" || host === ownHost || isIP(host) !== 0) return false;
    reply(response, 421, {}, "Without an API key this server answers only to localhost and addresses; give it a key");
    return true;
  };
}

function hostOf(authority: string): string {
  return authority
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();
}
