import { spawn } from "node:child_process";
import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, rmSync, unlinkSync } from "node:fs";
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

/** How many one mkfifo makes, and when the next one is started. */
const BATCH = 64;
const LOW = 16;
/** How many are held open: enough for a few commands at once, so that no launch waits for the file system. */
const OPEN = 8;

/** `directory` holds the FIFOs that wait; nobody but the server's user may enter it. */
export async function createFifoPool(directory: string): Promise<FifoPool> {
  removeThoseOfEarlierServers(directory);
  const named: string[] = [];
  const opened: Pipe[] = [];
  let made = 0;
  let refilling: Promise<boolean> | undefined;
  let toppingUp: NodeJS.Immediate | undefined;
  let closed = false;

  async function refill(): Promise<boolean> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const paths = Array.from({ length: BATCH }, () => join(directory, `fifo-${process.pid}-${made++}`));
    const done = await makeFifos(paths);
    if (done && !closed) named.push(...paths);
    else for (const path of paths) rmSync(path, { force: true });
    return done;
  }

  function startRefill(): Promise<boolean> {
    refilling ??= refill().finally(() => {
      refilling = undefined;
    });
    return refilling;
  }

  function openUpTo(count: number): void {
    while (opened.length < count) {
      const path = named.at(-1);
      if (path === undefined) break;
      const pipe = openFifo(path);
      // A cleaner of temporary files was here.
      if (pipe === undefined) named.length = 0;
      else {
        opened.push(pipe);
        named.pop();
      }
    }
    if (named.length < LOW && !closed) void startRefill();
  }

  function topUp(): void {
    toppingUp = undefined;
    try {
      openUpTo(OPEN);
    } catch {
      // Whoever takes the next one is told.
    }
  }

  const available = await startRefill();
  topUp();
  return {
    available,
    async take(count) {
      if (!available) return undefined;
      for (openUpTo(count); opened.length < count; openUpTo(count)) {
        if (closed || !(await startRefill())) return undefined;
      }
      toppingUp ??= setImmediate(topUp);
      return opened.splice(-count);
    },
    async close() {
      closed = true;
      await refilling;
      clearImmediate(toppingUp);
      for (const pipe of opened.splice(0)) closePipe(pipe);
      for (const path of named.splice(0)) rmSync(path, { force: true });
    },
  };
}

/** Undefined where it is not there any more. */
function openFifo(path: string): Pipe | undefined {
  try {
    // In this order neither open waits: a reader that does not block, then a writer that finds a reader.
    const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const writeEnd = openSync(path, constants.O_WRONLY);
      unlinkSync(path);
      return { readEnd, writeEnd };
    } catch (error) {
      closeSync(readEnd);
      throw error;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
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
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    if (name.startsWith("fifo-")) rmSync(join(directory, name), { force: true });
  }
}
