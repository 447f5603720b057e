import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { ProcessInput } from "../launcher.ts";

/** Ctrl-D, which a program reads as the end of its input. */
const END_OF_FILE = Buffer.of(4);
const LONGEST_PAUSE_MS = 50;
/** What one write moves at most, so that a long paste does not hold up the server. */
const SLICE_BYTES = 16 * 1024;

/**
 * Writes to a terminal. Not by the socket that reads it: libuv takes our side of a terminal for a file that blocks, and
 * spins on it while the process does not read. And not by the thread pool: a write that waits there could hit another
 * file once the descriptor was closed. It does not block, so it can be written to at once.
 */
export function createTerminalInput(fd: number, isClosed: () => boolean): ProcessInput {
  let last: Promise<void> = Promise.resolve();
  let destroyed = false;

  async function writeAll(data: Uint8Array): Promise<void> {
    let pauseMs = 1;
    for (let at = 0; at < data.byteLength;) {
      if (destroyed || isClosed()) throw closedError();
      const written = writeSome(fd, data, at);
      at += written;
      pauseMs = written > 0 ? 1 : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      if (at < data.byteLength) await delay(written > 0 ? 0 : pauseMs);
    }
  }

  function enqueue(data: Uint8Array): Promise<void> {
    const done = last.then(() => writeAll(data));
    last = done.catch(() => {});
    return done;
  }

  return {
    write: enqueue,
    end: () => void enqueue(END_OF_FILE).catch(() => {}),
    destroy: () => {
      destroyed = true;
    },
  };
}

/** 0 where there is no room now. */
function writeSome(fd: number, data: Uint8Array, at: number): number {
  try {
    return writeSync(fd, data, at, Math.min(SLICE_BYTES, data.byteLength - at));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EAGAIN") return 0;
    throw code === "EIO" ? closedError() : error;
  }
}

function closedError(): Error {
  return Object.assign(new Error("The terminal is closed."), { code: "EPIPE" });
}
