import type { AddressInfo, Server, Socket } from "node:net";
import { ConfigError } from "../config/config-error.ts";
import type { EdgeServer } from "./edge-server.ts";
import { listenOnSocket } from "./unix-socket.ts";

export type ListenTarget = { readonly socket: string } | { readonly host: string; readonly port: number };

export interface Listener {
  /** Where it listens: a path, or an address with the port that was picked. */
  readonly address: AddressInfo | string;
  /** Takes no more connections, closes the idle ones and lets running calls finish. */
  refuseConnections(): void;
  /** Breaks off what is left, and resolves when the last connection is closed. */
  destroy(): Promise<void>;
}

/** Makes the server listen. */
export async function listen({ server, goAway }: EdgeServer, target: ListenTarget): Promise<Listener> {
  const sockets = trackSockets(server);
  if ("socket" in target) await listenOnSocket(server, target.socket);
  else await listenOnPort(server, target);

  const closed = new Promise<void>((resolve) => server.once("close", () => resolve()));
  const address = server.address();
  if (address === null) throw new Error("the server does not listen");
  return {
    address,
    refuseConnections() {
      // For a UNIX socket this removes its file, too.
      if (server.listening) server.close();
      goAway();
    },
    async destroy() {
      if (server.listening) server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function listenOnPort(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const where = `${host}:${port}`;
  const cause = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new ConfigError(`Something listens on ${where} already; give another --port (0 picks a free one)`, cause);
    case "EACCES":
      return new ConfigError(`This user may not listen on ${where}; give a --port of 1024 or more`, cause);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ConfigError(`This machine has no address ${host} to listen on; see --host`, cause);
    default:
      return new ConfigError(`The server cannot listen on ${where}: ${error.message}`, cause);
  }
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    // Tells of a peer whose machine is gone, on connections that have no pings.
    socket.setKeepAlive(true, 30_000);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}
