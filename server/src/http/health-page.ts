import type { HealthStatus } from "../health/health-status.ts";
import { reply } from "./node-types.ts";
import type { NodeRequest, NodeResponse } from "./node-types.ts";

/** Answers GET /healthz for probes that speak no gRPC: 200 while the server serves, 503 once it stops. */
export function createHealthPage(status: HealthStatus) {
  return (request: NodeRequest, response: NodeResponse): boolean => {
    if (request.url !== "/healthz" || (request.method !== "GET" && request.method !== "HEAD")) return false;
    if (status.serving) reply(response, 200, {}, "serving");
    else reply(response, 503, {}, "stopping");
    return true;
  };
}
