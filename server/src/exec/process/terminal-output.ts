import { readSync } from "node:fs";
import type { ReadStream } from "node:tty";
import type { OutputSource } from "../launcher.ts";

const LONGEST_PAUSE_MS = 50;

/**
 * Reads a terminal to its very end. libuv takes a hang-up with a short read, or one alone, for the end, as it is with
 * pipes; a terminal may have 64 KiB more by then, of which each read brings at most 4
 * (https://github.com/libuv/libuv/issues/4992, https://github.com/libuv/libuv/pull/5165). So after what Node calls the end
 * it is read on until the kernel says EIO.
 *
 * The socket must not close itself at that end (`allowHalfOpen`). It is never paused.
 */
export function createTerminalOutput(socket: ReadStream, fd: number): OutputSource {
  // EIO, which is how a terminal ends.
  socket.on("error", () => {});

  function readOn(onData: (chunk: Buffer) => void, pauseMs: number): void {
    if (socket.destroyed) return;
    const chunk = readSome(fd);
    if (chunk === undefined) {
      socket.destroy();
    } else if (chunk.length > 0) {
      onData(chunk);
      setImmediate(readOn, onData, 1);
    } else {
      // On its way through the kernel still, or somebody has opened the terminal again.
      setTimeout(readOn, pauseMs, onData, Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
    }
  }

  return {
    stream: "stdout",
    start(onData, onEnd) {
      if (socket.closed) {
        onEnd();
        return;
      }
      socket.once("close", onEnd);
      socket.once("end", () => readOn(onData, 1));
      socket.on("data", onData);
    },
    pause: () => {},
    resume: () => {},
    destroy: () => void socket.destroy(),
  };
}

/** Empty where there is nothing now, undefined at the end. */
function readSome(fd: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(64 * 1024);
  try {
    const length = readSync(fd, buffer);
    return length === 0 ? undefined : buffer.subarray(0, length);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EAGAIN" ? Buffer.alloc(0) : undefined;
  }
}
