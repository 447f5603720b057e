import { Health } from "@yonder/proto/grpc/health/v1/health";
import type { App } from "../app.ts";
import { createHealthService } from "../health/health-service.ts";
import type { Logger } from "../logging/logger.ts";
import type { GateCheck } from "../rpc/request-gate.ts";
import { createCors } from "./cors.ts";
import { createHealthPage } from "./health-page.ts";
import { guardEarlyAnswer } from "./early-answer.ts";
import { createNodeHandler } from "./node-handler.ts";
import type { NodeHandler, NodeRequest, NodeResponse } from "./node-types.ts";

/** Answers a request, and says whether it did. */
export type Answerer = (request: NodeRequest, response: NodeResponse) => boolean;

export interface RequestHandlerOptions {
  readonly app: App;
  readonly logger: Logger;
  readonly allowedOrigins: readonly string[];
  /** Undefined: everybody is let in. */
  readonly authenticate: GateCheck | undefined;
  /** Asked first about each request. */
  readonly guard: Answerer | undefined;
}

/** Everything that the server's port answers. */
export function createRequestHandler(options: RequestHandlerOptions): NodeHandler {
  const { app, logger, allowedOrigins, authenticate, guard } = options;
  const calls = createNodeHandler({ routes: app.routes, routerOptions: app.routerOptions(authenticate), logger });
  const answerers = [...(guard === undefined ? [] : [guard]), createCors(allowedOrigins), createHealthPage(app.health)];
  return withGuard(app, (request, response) => {
    if (!answerers.some((answer) => answer(request, response))) calls(request, response);
  });
}

/** What the health port answers: health, and nothing else. */
export function createHealthHandler(app: App, logger: Logger): NodeHandler {
  const page = createHealthPage(app.health);
  const calls = createNodeHandler({
    routes: (router) => void router.service(Health, createHealthService(app.health)),
    routerOptions: app.routerOptions(),
    logger,
  });
  return withGuard(app, (request, response) => {
    if (!page(request, response)) calls(request, response);
  });
}

function withGuard({ lifecycle }: App, handler: NodeHandler): NodeHandler {
  return (request, response) => {
    guardEarlyAnswer(request, response, () => lifecycle.stopping);
    handler(request, response);
  };
}
