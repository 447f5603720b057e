import { createConnectRouter, createContextValues } from "@connectrpc/connect";
import type { ConnectRouter, ConnectRouterOptions } from "@connectrpc/connect";
import { createGrpcRouter, readRequest, reuseMemory, wireInterceptor, writeResponse } from "@yonder/wire";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Logger } from "../logging/logger.ts";
import { callRecordKey } from "../rpc/call-record.ts";
import { heldRequests } from "../rpc/held-requests.ts";
import { logAccess } from "./access-log.ts";
import { tellNoCall } from "./no-call.ts";
import { reply } from "./node-types.ts";
import type { NodeHandler, NodeRequest, NodeResponse } from "./node-types.ts";

type UniversalHandler = ConnectRouter["handlers"][number];

export interface NodeHandlerOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly routerOptions: ConnectRouterOptions;
  readonly logger: Logger;
  /** Answers what is no call, and says whether it did. */
  readonly first?: (request: NodeRequest, response: NodeResponse) => boolean;
}

/**
 * Serves the routes over Node's HTTP/1.1 and HTTP/2 servers. Connect's own adapter writes every caller that went away to
 * the console, which cannot be turned off.
 */
export function createNodeHandler({ routes, routerOptions, logger, first }: NodeHandlerOptions): NodeHandler {
  const { interceptors = [], readMaxBytes = 0xffffffff } = routerOptions;
  const connectRouter = createConnectRouter({ ...routerOptions, interceptors: [wireInterceptor, ...interceptors] });
  const router = createGrpcRouter(connectRouter, routerOptions);
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  return (request, response) => {
    // Node emits errors of a connection that broke here too; whoever waits for the response is told by other means.
    response.on("error", ignore);
    if (first?.(request, response) === true) return;
    const [path = ""] = (request.url ?? "").split("?", 1);
    const handler = handlers.get(path);
    const record = logAccess(logger, request, response, handler && path.slice(1));
    nameSocket(request);
    if (handler === undefined) return reply(response, 404, {}, "There is no such call here");
    const contextValues = createContextValues().set(callRecordKey, record);
    contextValues.set(reuseMemory, heldRequests(handler.method));
    const byHand = router.find(request, path);
    const answered =
      byHand === undefined
        ? serve(handler, request, response, contextValues, readMaxBytes)
        : byHand(request as Http2ServerRequest, response as Http2ServerResponse, contextValues);
    answered.catch((error: unknown) => {
      logger.debug({ err: error, call: path.slice(1) }, "a response was not delivered");
      giveUp(response);
    });
  };
}

/** gRPC's C core sends the path of a UNIX socket as the host, "run%2Fyonder.sock", which no URL can have. */
function nameSocket({ headers }: NodeRequest): void {
  const authority = headers[":authority"];
  if (typeof authority === "string" && /%2f/i.test(authority)) headers[":authority"] = "localhost";
}

/** Whatever it was, nobody must wait for an answer that does not come. */
function giveUp(response: NodeResponse): void {
  try {
    if (!response.headersSent) return reply(response, 500);
  } catch {
    // The caller is gone: over HTTP/2, Node 22 throws where the stream is destroyed.
  }
  response.destroy();
}

async function serve(
  handler: UniversalHandler,
  request: NodeRequest,
  response: NodeResponse,
  contextValues: ReturnType<typeof createContextValues>,
  readMaxBytes: number,
): Promise<void> {
  let universalRequest: ReturnType<typeof readRequest>;
  try {
    universalRequest = readRequest(request, response, contextValues, readMaxBytes);
  } catch {
    return reply(response, 400, {}, "The request has no host, or its URL is malformed");
  }
  const answer = await handler(universalRequest);
  if (tellNoCall(response, answer.status)) return;
  await writeResponse(answer, response, contextValues);
}

function ignore(): void {}
