import type { AddressInfo } from "node:net";
import { createApp } from "./app.ts";
import { ConfigError } from "./config/config-error.ts";
import type { GivenSettings } from "./config/read-settings.ts";
import { resolveConfig } from "./config/server-config.ts";
import type { ServerConfig } from "./config/server-config.ts";
import { StateDirectoryError } from "./exec/state/state-directory-error.ts";
import { openEdge } from "./http/edge.ts";
import type { Edge } from "./http/edge.ts";
import { silentLogger } from "./logging/logger.ts";
import type { Logger } from "./logging/logger.ts";
import { within } from "./util/within.ts";
import { version } from "./version.ts";
import { openWorkspace } from "./workspace.ts";

/** Every setting of `yonder serve`, by the name it has in docs/server.md; what is left out has its default. */
export interface ServerOptions extends GivenSettings {
  /** Keys that open the server, plain or as `sha256:` digests, besides those of `apiKeyFile`. */
  readonly apiKeys?: readonly string[];
  /** Where to log. Default: nowhere. */
  readonly logger?: Logger;
}

export interface RunningServer {
  /** "http://127.0.0.1:8000", or "unix:/run/yonder.sock". */
  readonly url: string;
  /** The port it listens on; undefined for a UNIX socket. */
  readonly port: number | undefined;
  readonly address: AddressInfo | string;
  readonly healthPort: number | undefined;
  readonly workspaceId: string;
  readonly instanceId: string;
  /** What could not be had on this machine, and what whoever runs it should know, a sentence each. */
  readonly notices: readonly string[];
  /**
   * Stops: no new work, running commands ended or left as the settings say, running calls finished within `graceMs`
   * (default: the drain timeout), then cut. A second call waits for the first.
   */
  close(options?: { graceMs?: number }): Promise<void>;
}

/** Starts a server. Throws a ConfigError that says what to do where it cannot or must not start. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { apiKeys = [], logger = silentLogger(), ...given } = options;
  const config = await resolveConfig(given);
  const edge = await openEdge({ config, apiKeys, logger });
  const onInternalError = (errorId: string, err: unknown): void => logger.error({ errorId, err }, "a call failed");
  const workspace = await openOrClose(edge, () => openWorkspace({ ...config, onInternalError }));
  const { identity, activity, routes } = workspace;
  const { maxMessageBytes } = config.limits;
  edge.serve(createApp({ identity, activity, routes, maxMessageBytes, onInternalError }));
  const notices = [...workspace.notices, ...noticesOf(config, edge)];
  for (const notice of notices) logger.warn(notice);
  const { workingDirectory, stateDirectory } = config;
  const healthPort = edge.healthAddress?.port;
  const { url, socketBeside: socket } = edge;
  logger.info({ url, socket, healthPort, version, workingDirectory, stateDirectory, ...identity }, "listening");

  let closing: Promise<void> | undefined;
  const close = async (graceMs: number): Promise<void> => {
    const stopWork = async (): Promise<void> => {
      try {
        await workspace.stop({ leaveRunning: config.onStop === "leave" });
      } catch (error) {
        logger.error({ err: error }, "the running commands could not be stopped");
      }
    };
    await edge.close({ graceMs, stopWork });
    if (!(await within(closeMs, workspace.close()))) logger.warn("the workspace took too long to close");
  };
  return {
    url: edge.url,
    port: typeof edge.address === "string" ? undefined : edge.address.port,
    address: edge.address,
    healthPort,
    ...identity,
    notices,
    close: ({ graceMs = config.drainTimeoutMs } = {}) => (closing ??= close(graceMs)),
  };
}

function noticesOf({ target, stateDirectory, noAuth }: ServerConfig, { requiresKey }: Edge): string[] {
  const notices: string[] = [];
  if (!requiresKey && noAuth)
    notices.push("There is no API key: everybody who can reach this address can run commands.");
  else if (!requiresKey && "host" in target) {
    notices.push("There is no API key: every user of this machine can run commands; --api-key-file keeps them out.");
  }
  if (stateDirectory === undefined && "host" in target && target.port !== 0) {
    notices.push("There is no place for the state, so a restart forgets it; name one with --state-directory.");
  }
  return notices;
}

/** How long the workspace may take to let go of its files. */
const closeMs = 2_000;

async function openOrClose<T>(edge: Edge, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await edge.close();
    if (error instanceof StateDirectoryError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}
