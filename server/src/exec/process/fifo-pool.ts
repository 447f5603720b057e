import { spawn } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, readdirSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { closePipe, type Pipe } from "./pipe.ts";

/**
 * Real pipes. Node's own `stdio: "pipe"` is a UNIX socket, and a socket cannot be opened by its name: on it
 * `echo x > /dev/stderr`, `cat /dev/stdin` and `tee /dev/stdout` fail with ENXIO. Node has no pipe(2), so FIFOs are
 * made by mkfifo(1), many at once and ahead of need, and lose their names as they are opened.
 *
 * For output alone: who opens a FIFO by name waits for the other side to be there, and for output we are there.
 */
export interface FifoPool {
  /** Whether FIFOs can be made here. */
  readonly available: boolean;
  /** Opens so many, whose read ends do not block; undefined where this machine makes none. Throws as openSync does. */
  take(count: number): Promise<Pipe[] | undefined>;
  close(): Promise<void>;
}

const BATCH = 64;
const LOW = 16;

/** `directory` holds the FIFOs that wait; nobody but the server's user may enter it. */
export async function createFifoPool(directory: string): Promise<FifoPool> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  removeThoseOfEarlierServers(directory);
  const ready: string[] = [];
  let made = 0;
  let refilling: Promise<boolean> | undefined;
  let closed = false;

  async function refill(): Promise<boolean> {
    const paths = Array.from({ length: BATCH }, () => join(directory, `fifo-${process.pid}-${made++}`));
    const done = await makeFifos(paths);
    if (done && !closed) ready.push(...paths);
    else for (const path of paths) rmSync(path, { force: true });
    return done;
  }

  function startRefill(): Promise<boolean> {
    refilling ??= refill().finally(() => {
      refilling = undefined;
    });
    return refilling;
  }

  const available = await startRefill();
  return {
    available,
    async take(count) {
      if (!available) return undefined;
      while (ready.length < count) if (closed || !(await startRefill())) return undefined;
      const paths = ready.splice(-count);
      if (ready.length < LOW && !closed) void startRefill();
      return openAll(paths);
    },
    async close() {
      closed = true;
      await refilling;
      for (const path of ready.splice(0)) rmSync(path, { force: true });
    },
  };
}

function openAll(paths: readonly string[]): Pipe[] {
  const fifos: Pipe[] = [];
  try {
    for (const path of paths) fifos.push(openFifo(path));
    return fifos;
  } catch (error) {
    for (const fifo of fifos) closePipe(fifo);
    for (const path of paths) rmSync(path, { force: true });
    throw error;
  }
}

/** In this order neither open waits: a reader that does not block, then a writer that finds a reader. */
function openFifo(path: string): Pipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const writeEnd = openSync(path, constants.O_WRONLY);
    unlinkSync(path);
    return { readEnd, writeEnd };
  } catch (error) {
    closeSync(readEnd);
    throw error;
  }
}

/** Resolves to whether they were made: not where there is no mkfifo, or the file system has no FIFOs. */
function makeFifos(paths: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn("mkfifo", ["-m", "600", ...paths], { stdio: "ignore" });
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
}

function removeThoseOfEarlierServers(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name.startsWith("fifo-")) rmSync(join(directory, name), { force: true });
  }
}
