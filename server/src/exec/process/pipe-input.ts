import { Socket } from "node:net";
import type { ProcessInput } from "../launcher.ts";

/** Writes to a pipe's end. Owns the descriptor from now on. */
export function createPipeInput(fd: number): ProcessInput {
  return createSocketInput(new Socket({ fd, readable: false, writable: true }));
}

/** The same over a socket that Node has opened. */
export function createSocketInput(socket: Socket): ProcessInput {
  // Each write reports its own failure.
  socket.on("error", () => {});
  return {
    write(data) {
      if (data.byteLength === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        // Called once the kernel has all of it, and not before there is room.
        socket.write(data, (error) => {
          if (error == null) resolve();
          else reject(brokenPipe(error));
        });
      });
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}

/** What Node reports of a socket that broke or was closed before this write. */
function brokenPipe(error: NodeJS.ErrnoException): Error {
  if (error.code === "EPIPE") return error;
  return Object.assign(new Error("The process has closed its standard input.", { cause: error }), { code: "EPIPE" });
}
