import { setImmediate } from "node:timers/promises";
import type { AddressInfo, Server, Socket } from "node:net";
import { ConfigError } from "../config/config-error.ts";
import type { EdgeServer } from "./edge-server.ts";
import type { SocketBeside } from "./socket-beside.ts";
import { listenOnSocket } from "./unix-socket.ts";

export type ListenTarget = { readonly socket: string } | PortTarget;

interface PortTarget {
  readonly host: string;
  readonly port: number;
  /** The setting that names the port, for messages. Default "--port". */
  readonly flag?: string;
}

export interface Listener {
  /** Where it listens: a path, or an address with the port that was picked. */
  readonly address: AddressInfo | string;
  /** Takes no more connections and closes the idle ones; those with running calls go on. */
  refuseConnections(): void;
  /** Closes the connections, what was written on them first; breaks off what is left after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

/**
 * Makes the server listen. `onError` is told of connections that could not be accepted, for want of files for example;
 * `beside` is closed with it.
 */
export async function listen(
  { server, sessions }: EdgeServer,
  target: ListenTarget,
  onError: (error: Error) => void,
  beside?: SocketBeside,
): Promise<Listener> {
  const sockets = trackSockets(server);
  if ("socket" in target) await listenOnSocket(server, target.socket);
  else await listenOnPort(server, target);
  // Without a listener it would end the process.
  server.on("error", onError);

  const closed = new Promise<void>((resolve) => server.once("close", () => resolve()));
  const address = server.address();
  if (address === null) throw new Error("the server does not listen");
  const refuseConnections = (): void => {
    beside?.refuseConnections();
    // Closes idle HTTP/1.1 connections as well, and removes the file of a UNIX socket.
    if (server.listening) server.close();
    sessions.announceEnd();
  };
  return {
    address,
    refuseConnections,
    async close(timeoutMs) {
      refuseConnections();
      await written();
      sessions.close();
      closeIdleConnections(server);
      const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), timeoutMs);
      await Promise.all([closed, beside?.closed]);
      clearTimeout(timer);
    },
  };
}

async function listenOnPort(server: Server, target: PortTarget): Promise<void> {
  const { host, port } = target;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, target)));
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function explain(error: NodeJS.ErrnoException, { host, port, flag = "--port" }: PortTarget): Error {
  const where = `${host}:${port}`;
  const cause = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new ConfigError(`Something listens on ${where} already; give another ${flag} (0 picks a free one)`, cause);
    case "EACCES":
      return new ConfigError(`This user may not listen on ${where}; give a ${flag} of 1024 or more`, cause);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ConfigError(`This machine has no address ${host} to listen on; see --host`, cause);
    default:
      return new ConfigError(`The server cannot listen on ${where}: ${error.message}`, cause);
  }
}

/**
 * What was written last leaves Node's HTTP/2 in the next turns of the loop. Before Node 24 a session that is closed
 * before that takes it along.
 */
async function written(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** Those over HTTP/1.1. Both kinds of servers can do it, but only one says so in its type. */
function closeIdleConnections(server: Server & { closeIdleConnections?: () => void }): void {
  server.closeIdleConnections?.();
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
