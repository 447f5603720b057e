import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { createInterface } from "node:readline";
import { closePipe, type Pipe } from "./pipe.ts";

/**
 * Pipes without a name, for standard input. A FIFO will not do there: who opens /dev/stdin once its last writer is gone
 * waits for ever, where on a pipe it reads the end (fifo_open in fs/pipe.c). Node cannot make a pipe, but any shell can,
 * and /proc lets us open the one that it made.
 */
export interface AnonymousPipes {
  /** Both ends block. Undefined where none can be made. */
  take(): Promise<Pipe | undefined>;
  close(): Promise<void>;
}

const BATCH = 8;
const LOW = 4;

export function createAnonymousPipes(shell: string | undefined): AnonymousPipes {
  const ready: Pipe[] = [];
  let refilling: Promise<boolean> | undefined;
  let closed = false;

  async function refill(): Promise<boolean> {
    const pipes = shell === undefined ? [] : await makePipes(shell);
    ready.push(...pipes);
    return pipes.length > 0;
  }

  function startRefill(): Promise<boolean> {
    refilling ??= refill().finally(() => {
      refilling = undefined;
    });
    return refilling;
  }

  void startRefill();
  return {
    async take() {
      while (ready.length === 0) if (closed || !(await startRefill())) return undefined;
      const pipe = ready.pop();
      if (ready.length < LOW && !closed) void startRefill();
      return pipe;
    },
    async close() {
      closed = true;
      await refilling;
      for (const pipe of ready.splice(0)) closePipe(pipe);
    },
  };
}

/** So many subshells, each with a pipe as its descriptor 4, tell their pids and wait until they are let go. */
const SUBSHELLS = `for pipe in ${"x ".repeat(BATCH)}; do
  : | { exec 4<&0; read -r pid rest </proc/self/stat; echo "$pid"; read -r rest <&3; } &
done; wait`;

/** None where something is missing on the way. */
async function makePipes(shell: string): Promise<Pipe[]> {
  const helper = spawn(shell, ["-c", SUBSHELLS], { stdio: ["ignore", "pipe", "ignore", "pipe"], env: {} });
  const letGo = helper.stdio[3];
  letGo?.on("error", () => {});
  const exited = new Promise<void>((resolve) => {
    helper.once("error", () => resolve());
    helper.once("exit", () => resolve());
  });
  const pipes: Pipe[] = [];
  try {
    for await (const pid of createInterface({ input: helper.stdout as Readable })) {
      pipes.push(openPipe(`/proc/${pid}/fd/4`));
      if (pipes.length === BATCH) break;
    }
  } catch {
    // What there is will do; without any, there is no way here.
  } finally {
    letGo?.destroy();
  }
  await exited;
  return pipes;
}

function openPipe(path: string): Pipe {
  const readEnd = openSync(path, constants.O_RDONLY);
  try {
    return { readEnd, writeEnd: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(readEnd);
    throw error;
  }
}
