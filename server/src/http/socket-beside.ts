import { createServer } from "node:net";
import type { Socket } from "node:net";
import type { Logger } from "../logging/logger.ts";
import type { EdgeServer } from "./edge-server.ts";
import { listenOnSocket } from "./unix-socket.ts";

/** A second door to a server that listens at an address. */
export interface SocketBeside {
  readonly path: string;
  /** Takes no more connections; the server closes those that came this way with all others. */
  refuseConnections(): void;
  /** Resolves once it takes none and those are closed. */
  readonly closed: Promise<void>;
}

/**
 * Lets a server be reached by a UNIX socket as well. The address is what was promised: where the socket cannot be had,
 * on a read-only disk for example, the log says so and the answer is undefined.
 */
export async function openSocketBeside(
  { server }: EdgeServer,
  path: string,
  logger: Logger,
): Promise<SocketBeside | undefined> {
  // As an HTTP server's own connections are: without `allowHalfOpen` an answer would be cut by the end of its request.
  const door = createServer({ allowHalfOpen: true }, (socket: Socket) => server.emit("connection", socket));
  door.maxConnections = server.maxConnections;
  try {
    await listenOnSocket(door, path);
  } catch (error) {
    logger.warn(`${(error as Error).message}; it is served at its address alone`);
    return undefined;
  }
  door.on("error", (err) => logger.error({ err }, "a connection could not be accepted"));
  return {
    path,
    refuseConnections() {
      if (door.listening) door.close();
    },
    closed: new Promise((resolve) => door.once("close", () => resolve())),
  };
}
