import type { DescService } from "@bufbuild/protobuf";
import { createConnectRouter, createRouterTransport } from "@connectrpc/connect";
import type { ConnectRouter, ConnectRouterOptions, Transport } from "@connectrpc/connect";
import { file_yonder_workspace_v1_error as errorFile } from "@yonder/proto";
import { Health } from "@yonder/proto/grpc/health/v1/health";
import { ServerReflection } from "@yonder/proto/grpc/reflection/v1/reflection";
import { ServerReflection as ServerReflectionV1Alpha } from "@yonder/proto/grpc/reflection/v1alpha/reflection";
import { createHealthService } from "./health/health-service.ts";
import { HealthStatus } from "./health/health-status.ts";
import { DescriptorIndex } from "./reflection/descriptor-index.ts";
import { createReflectionService } from "./reflection/reflection-service.ts";
import type { Activity } from "./rpc/activity.ts";
import type { OnInternalError } from "./rpc/error-map.ts";
import { fastGzip } from "./rpc/gzip.ts";
import type { Identity } from "./rpc/identity.ts";
import { Lifecycle } from "./rpc/lifecycle.ts";
import { mapErrors } from "./rpc/map-errors.ts";
import { checkWorkspaceId, createRequestGate } from "./rpc/request-gate.ts";
import type { GateCheck } from "./rpc/request-gate.ts";
import { returnOnAbort } from "./rpc/return-on-abort.ts";
import { createStrictRouter } from "./rpc/strict-router.ts";
import { refuseUnknownFields } from "./rpc/unknown-fields.ts";

export interface AppOptions {
  readonly identity: Identity;
  readonly activity: Activity;
  /** Registers the services of the workspace. */
  readonly routes: (router: ConnectRouter) => void;
  /** The largest message that is taken, in bytes. */
  readonly maxMessageBytes: number;
  /** Told of what failed inside, with the id that the caller is told of it. Default: nobody. */
  readonly onInternalError?: OnInternalError;
}

/** The services in one handler: the same over any wire and in memory. */
export interface App {
  readonly lifecycle: Lifecycle;
  readonly health: HealthStatus;
  /** Registers everything that is served, health and reflection too. */
  readonly routes: (router: ConnectRouter) => void;
  /** The options that `routes` needs; `authenticate` is asked first about each call. */
  routerOptions(authenticate?: GateCheck): ConnectRouterOptions;
  /** Opens the services in memory, with the same interceptors, limits and checks but for the key. */
  createTransport(): Transport;
}

/** Composes the services and what every call goes through into an App. */
export function createApp({ identity, activity, routes, maxMessageBytes, onInternalError }: AppOptions): App {
  const lifecycle = new Lifecycle();
  const onInternal: OnInternalError = onInternalError ?? (() => {});
  let index: DescriptorIndex | undefined;

  const register = (router: ConnectRouter): void => {
    const strict = createStrictRouter(router);
    routes(strict);
    strict.service(Health, createHealthService(health));
    const reflection = createReflectionService(
      () => (index ??= new DescriptorIndex(servicesOf(register), [errorFile])),
    );
    strict.service(ServerReflection, reflection);
    // The two versions have the same messages under other names.
    strict.service(ServerReflectionV1Alpha, reflection as object);
  };
  const health = new HealthStatus(servicesOf(routes).map(({ typeName }) => typeName));

  const app: App = {
    lifecycle,
    health,
    routes: register,
    routerOptions: (authenticate) => ({
      acceptCompression: [fastGzip],
      readMaxBytes: maxMessageBytes,
      shutdownSignal: lifecycle.cutSignal,
      requestGate: createRequestGate({
        // Who is not let in learns nothing else.
        checks: [...(authenticate === undefined ? [] : [authenticate]), lifecycle.check, checkWorkspaceId(identity)],
        maxMessageBytes,
        onInternal,
      }),
      interceptors: [mapErrors(onInternal), returnOnAbort, activity.interceptor, refuseUnknownFields],
    }),
    createTransport: () => createRouterTransport(register, { router: app.routerOptions() }),
  };
  return app;
}

function servicesOf(routes: (router: ConnectRouter) => void): DescService[] {
  const router = createConnectRouter();
  routes(router);
  return [...new Set(router.handlers.map(({ service }) => service))];
}
