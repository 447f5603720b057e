import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "@yonder/proto/grpc/health/v1/health";
import type { Health } from "@yonder/proto/grpc/health/v1/health";
import { serverStopping } from "../rpc/lifecycle.ts";
import type { HealthStatus } from "./health-status.ts";

/** grpc.health.v1.Health, as probes and load balancers know it. */
export function createHealthService(status: HealthStatus): Partial<ServiceImpl<typeof Health>> {
  return {
    check({ service }) {
      if (!status.has(service)) throw new ConnectError(`There is no service ${service} here`, Code.NotFound);
      return { status: current(status, service) };
    },

    list() {
      return { statuses: Object.fromEntries(status.names().map((name) => [name, { status: current(status, name) }])) };
    },

    async *watch({ service }, context: HandlerContext) {
      const first = current(status, service);
      yield { status: first };
      while (status.serving && !context.signal.aborted) await status.changes.next(maxTimerMs, context.signal);
      if (context.signal.aborted) return;
      if (current(status, service) !== first) yield { status: current(status, service) };
      // The stop is the last change there is, and a watcher must not hold up the drain.
      throw serverStopping();
    },
  };
}

function current(status: HealthStatus, service: string): ServingStatus {
  if (!status.has(service)) return ServingStatus.SERVICE_UNKNOWN;
  return status.serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
}

const maxTimerMs = 2 ** 31 - 1;
