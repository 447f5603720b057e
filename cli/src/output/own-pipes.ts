import { constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";

/**
 * From then on this process writes to pipes through openings of its own.
 *
 * Node makes what it writes to non-blocking, and that holds for all who share the opening: a `make` or a `cat` beside us
 * on the same pipe would fail with EAGAIN, and after `kill -9` for good. Linux alone opens a pipe anew by its name in
 * /proc; where that cannot be done, Node's own way is left.
 */
export function openOwnPipes(): void {
  for (const [name, fd] of [
    ["stdout", 1],
    ["stderr", 2],
  ] as const) {
    const stream = reopened(fd);
    if (stream) Object.defineProperty(process, name, { value: stream, configurable: true, enumerable: true });
  }
}

function reopened(fd: number): Socket | undefined {
  try {
    if (process.platform !== "linux" || !fstatSync(fd).isFIFO()) return undefined;
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    return new Socket({ fd: own, readable: false, writable: true });
  } catch {
    return undefined;
  }
}
