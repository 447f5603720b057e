import { join } from "node:path";
import type { SocketPlace } from "../connection/shortcut.ts";
import { InvalidState } from "../errors.ts";
import { serverPort } from "./check-options.ts";
import { socketName } from "./container-spec.ts";
import type { ContainerState } from "./container-state.ts";
import { startLabel } from "./labels.ts";
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

/**
 * The server's socket beside its port, seen through the container's first process, which is there for root and for
 * whoever is the container's user, if the engine's machine is this one.
 */
export function shortcutOf({ environment, pid, labels }: ContainerState): SocketPlace | undefined {
  // Named by its start: where that number is another process's, no other server's socket is found.
  const name = `/${labels[startLabel]}.sock`;
  const variable = environment.findLast((each) => each.startsWith("YONDER_SERVER_SOCKET=/") && each.endsWith(name));
  const [, path] = variable?.split("=/") ?? [];
  if (path === undefined || pid === 0) return undefined;
  return { root: `/proc/${pid}/root`, names: path.split("/"), ownFile: `/proc/${pid}` };
}

/** Of a container on the host's network. */
function portOnHost(environment: readonly string[]): number | undefined {
  const isLocal = environment.includes("YONDER_SERVER_HOST=127.0.0.1");
  const [, port] = /^YONDER_SERVER_PORT=(\d+)$/m.exec(environment.join("\n")) ?? [];
  return isLocal && port !== undefined ? Number(port) : undefined;
}
