import { join } from "node:path";
import { InvalidState } from "../errors.ts";
import { serverPort } from "./check-options.ts";
import { socketName } from "./container-spec.ts";
import type { ContainerState } from "./container-state.ts";
import { socketDirectoryOf } from "./socket-directory.ts";

/** Where a container's server is reached from this machine, as RemoteWorkspace's `host` has it. */
export function hostOf({ labels, ports, environment, name }: ContainerState): string {
  const directory = socketDirectoryOf(labels);
  if (directory !== undefined) return `unix://${join(directory, socketName)}`;
  const port = ports.get(serverPort) ?? portOnHost(environment);
  if (port !== undefined) return `http://127.0.0.1:${port}`;
  throw new InvalidState(`the container ${name} publishes no port ${serverPort}`, {
    reason: "CONTAINER_STOPPED",
    subject: name,
    remedy: "Start it (`docker start`), or a new workspace.",
  });
}

/** Of a container on the host's network. */
function portOnHost(environment: readonly string[]): number | undefined {
  const isLocal = environment.includes("YONDER_SERVER_HOST=127.0.0.1");
  const [, port] = /^YONDER_SERVER_PORT=(\d+)$/m.exec(environment.join("\n")) ?? [];
  return isLocal && port !== undefined ? Number(port) : undefined;
}
