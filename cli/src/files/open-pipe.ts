import { constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";

/** Opens a named pipe to write to, once somebody reads it. */
export async function openPipe(path: string | Buffer, signal: AbortSignal): Promise<Socket> {
  for (;;) {
    try {
      // Not to be waited for in a thread: nothing ends that but a reader, and the process waits for it.
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      return new Socket({ fd, readable: false, writable: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
    }
    await setTimeout(retryMs, undefined, { signal });
  }
}

const retryMs = 50;
