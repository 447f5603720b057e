import type { AddressInfo } from "node:net";
import type { App } from "../app.ts";
import { createAuthentication } from "../auth/authenticate.ts";
import { checkExposure, isLoopback } from "../auth/exposure.ts";
import { openKeyRing } from "../auth/key-ring.ts";
import type { KeyRing } from "../auth/key-ring.ts";
import type { ServerConfig } from "../config/server-config.ts";
import type { Logger } from "../logging/logger.ts";
import { createCleartextServer } from "./cleartext-server.ts";
import { drain } from "./drain.ts";
import type { DrainOptions } from "./drain.ts";
import type { EdgeServer } from "./edge-server.ts";
import { createHostGuard } from "./host-guard.ts";
import { defaultConnectionLimits } from "./limits.ts";
import type { ConnectionLimits } from "./limits.ts";
import { listen } from "./listener.ts";
import type { Listener } from "./listener.ts";
import { openSocketBeside } from "./socket-beside.ts";
import type { SocketBeside } from "./socket-beside.ts";
import { reply } from "./node-types.ts";
import type { NodeHandler } from "./node-types.ts";
import { createHealthHandler, createRequestHandler } from "./request-handler.ts";
import { RunningRequests } from "./running-requests.ts";
import { openTlsFiles } from "./tls-files.ts";
import { createTlsServer } from "./tls-server.ts";

export interface EdgeOptions {
  readonly config: ServerConfig;
  /** Keys besides those of the config's file, plain or as digests. */
  readonly apiKeys: readonly string[];
  readonly logger: Logger;
  readonly connectionLimits?: Partial<ConnectionLimits>;
}

/** The server's ports, open from the start and serving once there is something to serve. */
export interface Edge {
  readonly address: AddressInfo | string;
  readonly healthAddress: AddressInfo | undefined;
  /** Whether calls need a key. */
  readonly requiresKey: boolean;
  /** "http://127.0.0.1:8000", or "unix:/run/yonder.sock". */
  readonly url: string;
  /** The UNIX socket that it is reached by as well. */
  readonly socketBeside: string | undefined;
  /** From here on calls reach the app; until then every request is answered 503. */
  serve(app: App): void;
  /** Stops in bounded time; see `drain`. Without an app it closes at once. */
  close(options?: DrainOptions): Promise<void>;
}

/**
 * Checks who could reach the server and listens. Throws a ConfigError where it must not start.
 *
 * It listens before the workspace is opened, so that a second server at the same address fails before it touches the
 * first one's state.
 */
export async function openEdge(options: EdgeOptions): Promise<Edge> {
  const { config, apiKeys, logger } = options;
  const ring = await openKeyRing({ file: config.apiKeyFile, keys: apiKeys, logger });
  const running = new RunningRequests();
  const main = switchable(running);
  const health = switchable(running);
  const limits: ConnectionLimits = { ...defaultConnectionLimits, ...config, ...options.connectionLimits };
  const closers: (() => void)[] = [() => ring?.close()];
  const listeners: Listener[] = [];
  let beside: SocketBeside | undefined;
  const onError = (error: Error): void => logger.error({ err: error }, "a connection could not be accepted");
  try {
    const host = "host" in config.target ? config.target.host : undefined;
    await checkExposure({ ...config, host, hasKey: ring !== undefined, hasTls: config.tls !== undefined });
    const server = await createServer(options, main.handler, limits, closers);
    server.server.maxConnections = config.maxConnections;
    // First, so that whoever finds the address open finds the socket, too.
    if (config.socketBeside !== undefined) beside = await openSocketBeside(server, config.socketBeside, logger);
    const listener = await listen(server, config.target, onError, beside);
    listeners.push(listener);
    const healthListener = await listenForHealth(config, health.handler, limits, onError);
    if (healthListener !== undefined) listeners.push(healthListener);
    const guard = ring === undefined && host !== undefined && (await isLoopback(host)) ? host : undefined;

    let served: App | undefined;
    return {
      address: listener.address,
      healthAddress: healthListener?.address as AddressInfo | undefined,
      requiresKey: ring !== undefined,
      url: urlOf(listener.address, config),
      socketBeside: beside?.path,
      serve(app) {
        served = app;
        main.use(handlerOf(app, options, ring, guard));
        health.use(createHealthHandler(app, logger));
      },
      async close(drainOptions = { graceMs: 0 }) {
        if (served !== undefined) await drain(served, listener, running, drainOptions);
        await Promise.all(listeners.map((each) => each.close(flushMs)));
        for (const close of closers) close();
      },
    };
  } catch (error) {
    beside?.refuseConnections();
    await Promise.all(listeners.map((each) => each.close(0)));
    for (const close of closers) close();
    throw error;
  }
}

function handlerOf(app: App, { config, logger }: EdgeOptions, ring: KeyRing | undefined, guard: string | undefined) {
  return createRequestHandler({
    app,
    logger,
    allowedOrigins: config.allowOrigins,
    authenticate: ring && createAuthentication(ring),
    guard: guard === undefined ? undefined : createHostGuard(guard),
  });
}

/** How long the last bytes may take to leave. */
const flushMs = 500;

async function createServer(
  { config, logger }: EdgeOptions,
  handler: NodeHandler,
  limits: ConnectionLimits,
  closers: (() => void)[],
): Promise<EdgeServer> {
  if (config.tls === undefined) return createCleartextServer(handler, limits);
  const tls = await openTlsFiles(config.tls, logger);
  const server = createTlsServer(handler, limits, tls.context, tls.requiresClientCertificate);
  closers.push(tls.watch(server.renew));
  return server;
}

async function listenForHealth(
  { healthPort, host, target }: ServerConfig,
  handler: NodeHandler,
  limits: ConnectionLimits,
  onError: (error: Error) => void,
): Promise<Listener | undefined> {
  if (healthPort === undefined) return undefined;
  const healthTarget = { host: "host" in target ? target.host : host, port: healthPort, flag: "--health-port" };
  return await listen(createCleartextServer(handler, limits), healthTarget, onError);
}

/** A handler that can be given its work later. */
function switchable(running: RunningRequests): { handler: NodeHandler; use(next: NodeHandler): void } {
  let current = starting;
  return {
    handler: running.counted((request, response) => current(request, response)),
    use(next) {
      current = next;
    },
  };
}

const starting: NodeHandler = (_request, response) => {
  reply(response, 503, { "retry-after": "1" }, "The server is starting");
};

function urlOf(address: AddressInfo | string, { tls, host }: ServerConfig): string {
  if (typeof address === "string") return `unix:${address}`;
  const name = host.includes(":") ? `[${host}]` : host;
  return `${tls === undefined ? "http" : "https"}://${name}:${address.port}`;
}
