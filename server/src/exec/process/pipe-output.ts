import { Socket } from "node:net";
import type { OutputSource } from "../launcher.ts";
import type { OutputStream } from "../spec.ts";

/** Reads a pipe's end by epoll, so that a silent process takes no thread of the pool. Owns the descriptor from now on. */
export function createPipeOutput(stream: OutputStream, fd: number): OutputSource {
  return createSocketOutput(stream, new Socket({ fd, readable: true, writable: false }));
}

/** The same over a socket that Node has opened. */
export function createSocketOutput(stream: OutputStream, socket: Socket): OutputSource {
  // An error ends the stream like an end does; "close" comes after either.
  socket.on("error", () => {});
  return {
    stream,
    start(onData, onEnd) {
      if (socket.closed) {
        onEnd();
        return;
      }
      socket.once("close", onEnd);
      socket.on("data", onData);
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
  };
}
