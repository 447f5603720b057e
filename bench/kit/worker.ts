import { fork } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchmarkContext } from "./benchmark.ts";
import { ownProcess } from "./own-process.ts";
import { profileFlags } from "./profile-flags.ts";

/** A program of bench/ in a process of its own. */
export interface Worker {
  readonly pid: number;
  send(message: object): void;
  /** The next thing it says; rejects if it ends instead. */
  receive(): Promise<unknown>;
}

export interface WorkerOptions {
  /** Its program, which says something once it is ready. */
  readonly module: URL;
  /** What it finds in its first argument, as JSON. */
  readonly settings?: unknown;
  /** Further flags for its Node. */
  readonly nodeFlags?: readonly string[];
}

/** Starts a worker; it goes with the benchmark's scope. */
export function startWorker(context: BenchmarkContext, options: WorkerOptions): Worker {
  const path = fileURLToPath(options.module);
  const execArgv = [...profileFlags(context, basename(path, ".ts")), ...(options.nodeFlags ?? [])];
  const child = ownProcess(
    context,
    () =>
      fork(path, [JSON.stringify(options.settings ?? {})], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        execArgv,
      }),
    // It goes by itself when its channel closes.
    (worker) => worker.connected && worker.disconnect(),
  );
  const gone = once(child, "exit").then(() => {
    throw new Error(`${basename(path)} ended when it should have gone on`);
  });
  gone.catch(() => {});
  return {
    pid: child.pid ?? 0,
    send: (message) => void child.send(message),
    async receive() {
      const [message] = await Promise.race([once(child, "message") as Promise<[unknown]>, gone]);
      return message;
    },
  };
}
