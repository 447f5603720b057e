import type { Server, Socket } from "node:net";

/** Takes a server's own listener for new connections away from it, and returns it. */
export function takeListener(server: Server, event: "connection" | "secureConnection"): (socket: Socket) => void {
  const listener = server.listeners(event)[0] as (this: Server, socket: Socket) => void;
  server.removeListener(event, listener);
  return (socket) => listener.call(server, socket);
}
