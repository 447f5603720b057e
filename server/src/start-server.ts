import type { AddressInfo } from "node:net";
import { createApp } from "./app.ts";
import type { GivenSettings } from "./config/read-settings.ts";
import { resolveConfig } from "./config/server-config.ts";
import { openEdge } from "./http/edge.ts";
import type { Edge } from "./http/edge.ts";
import { silentLogger } from "./logging/logger.ts";
import type { Logger } from "./logging/logger.ts";
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
  /** What could not be had on this machine, a sentence each. */
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
  const workspace = await openOrClose(edge, () => openWorkspace(config));
  const { identity, activity, routes } = workspace;
  const { maxMessageBytes } = config.limits;
  edge.serve(createApp({ identity, activity, routes, maxMessageBytes, logger }));

  let closing: Promise<void> | undefined;
  const close = async (graceMs: number): Promise<void> => {
    await edge.close({ graceMs, stopWork: () => workspace.stop({ leaveRunning: config.onStop === "leave" }) });
    await workspace.close();
  };
  return {
    url: edge.url,
    port: typeof edge.address === "string" ? undefined : edge.address.port,
    address: edge.address,
    healthPort: edge.healthAddress?.port,
    ...identity,
    notices: workspace.notices,
    close: ({ graceMs = config.drainTimeoutMs } = {}) => (closing ??= close(graceMs)),
  };
}

async function openOrClose<T>(edge: Edge, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await edge.close();
    throw error;
  }
}
