import type { Connection } from "../connection/connection.ts";
import { waitUntilServing } from "../engine/wait-until-serving.ts";
import type { Container } from "./container.ts";
import { lastLogLines } from "./container-logs.ts";
import type { DockerWorkspaceOptions } from "./docker-options.ts";
import { isUp, whyNotStarted } from "./why-dead.ts";

export type ConnectOptions = Pick<DockerWorkspaceOptions, "timeouts" | "retry" | "healthCheckTimeoutMs">;

const healthMs = 120_000;

/** Waits until the server in a container answers, and connects to it. Rejects with why it never will, with its last words. */
export async function connectToContainer(
  container: Container,
  apiKey: string,
  { timeouts, retry, healthCheckTimeoutMs = healthMs }: ConnectOptions,
  signal?: AbortSignal,
): Promise<Connection> {
  let hasServed = false;
  const diagnose = async () => (hasServed ? await container.diagnose() : undefined);
  const { connection } = await waitUntilServing({
    connect: { host: container.host, shortcut: container.shortcut, apiKey, timeouts, retry, diagnose },
    subject: `the container ${container.state.name}`,
    timeoutMs: healthCheckTimeoutMs,
    whyDead: async () => {
      const state = await container.refresh();
      return isUp(state) ? undefined : await whyNotStarted(container.engine, state);
    },
    lastLines: () => lastLogLines(container.engine, container.state.id),
    signal,
  });
  hasServed = true;
  return connection;
}
