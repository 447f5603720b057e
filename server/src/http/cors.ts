import { cors } from "@connectrpc/connect";
import { workspaceIdHeader } from "../rpc/request-gate.ts";
import { reply } from "./node-types.ts";
import type { NodeRequest, NodeResponse } from "./node-types.ts";

/**
 * Lets scripts of the allowed origins call the server ("*": all), and turns those of any other away. Browsers only keep
 * the answer from a foreign script; a request that needs no preflight would be carried out all the same.
 *
 * Says whether the request is answered with that.
 */
export function createCors(allowedOrigins: readonly string[]) {
  const allowAll = allowedOrigins.includes("*");
  const allowed = new Set(allowedOrigins);

  return (request: NodeRequest, response: NodeResponse): boolean => {
    const { origin } = request.headers;
    // Not a browser, or a page of this very server, which has none.
    if (origin === undefined) return false;
    response.setHeader("vary", "origin");
    if (!allowAll && !allowed.has(origin)) {
      reply(response, 403, {}, "Scripts of this origin may not call this server; --allow-origin lets them");
      return true;
    }
    response.setHeader("access-control-allow-origin", allowAll ? "*" : origin);
    response.setHeader("access-control-expose-headers", exposedHeaders);
    if (request.method !== "OPTIONS") return false;
    reply(response, 204, {
      "access-control-allow-methods": cors.allowedMethods.join(", "),
      "access-control-allow-headers": allowedHeaders,
      // Two hours, the most that Chrome keeps.
      "access-control-max-age": "7200",
    });
    return true;
  };
}

const allowedHeaders = [...cors.allowedHeaders, "Authorization", "X-API-Key", workspaceIdHeader].join(", ");
const exposedHeaders = cors.exposedHeaders.join(", ");
