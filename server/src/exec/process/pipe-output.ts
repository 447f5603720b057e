import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { MOST_READ_BYTES, type OutputSource } from "../launcher.ts";
import type { OutputStream } from "../spec.ts";
import { resizePipe } from "./posix-spawner.ts";

/** A pipe that was found full so often is made larger, so that its command and we take turns less often. */
const FULL_READS = 16;
const LARGE_PIPE_BYTES = 1024 * 1024;
/** The kernel grants a user 64 MiB of pipes, and then next to nothing. */
const MOST_LARGE_PIPES = 16;

let largePipes = 0;

/** What one read brings is copied before the next one: all pipes are read into the same memory. */
const memory = Buffer.allocUnsafeSlow(MOST_READ_BYTES);

/** Reads a pipe's end by epoll, so that a silent process takes no thread of the pool. Owns the descriptor from now on. */
export function createPipeOutput(stream: OutputStream, fd: number): OutputSource {
  let socket: Socket | undefined;
  let isDestroyed = false;
  return {
    stream,
    start(onData, onEnd) {
      if (isDestroyed) {
        onEnd();
        return;
      }
      let fullReads = 0;
      let isLarge = false;
      let isAtEnd = false;
      const onEndOnce = (): void => {
        if (!isAtEnd) onEnd();
        isAtEnd = true;
      };
      const callback = (bytes: number): boolean => {
        if (bytes === memory.length) fullReads++;
        if (fullReads >= FULL_READS && !isLarge && largePipes < MOST_LARGE_PIPES) {
          isLarge = true;
          largePipes++;
          resizePipe(fd, LARGE_PIPE_BYTES);
        }
        onData(memory.subarray(0, bytes));
        return true;
      };
      // It begins to read as soon as it is there.
      socket = new Socket({ fd, readable: true, writable: false, onread: { buffer: memory, callback } });
      // An error ends the stream like an end does; "close" comes after either, the end a turn of the event loop earlier.
      socket.on("error", () => {});
      socket.once("end", onEndOnce);
      socket.once("close", () => {
        if (isLarge) largePipes--;
        onEndOnce();
      });
      // Not the data, which comes by the callback, but the end.
      socket.resume();
    },
    pause: () => void socket?.pause(),
    resume: () => void socket?.resume(),
    destroy() {
      if (isDestroyed) return;
      isDestroyed = true;
      if (socket === undefined) closeSync(fd);
      else socket.destroy();
    },
  };
}

/** Reads a socket that Node has opened. */
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
