import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { CommandLine } from "./command-line.ts";

/** What a process is started with. It leads a session of its own. */
export interface SpawnRequest {
  readonly line: CommandLine;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Its descriptors by their number: one of ours, a new socket, or none; /dev/null where that is a standard stream. */
  readonly descriptors: readonly ("pipe" | "ignore" | number)[];
  /** Whom it runs as, where somebody else. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined;
}

/** A process that was started. */
export interface Child {
  readonly pid: number;
  /** Calls back once, when it is gone: with its exit code or the name of the signal that ended it. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  /** Our ends of the sockets that were asked for. */
  readonly sockets: {
    readonly stdin: Writable | null;
    readonly stdout: Readable | null;
    readonly stderr: Readable | null;
  };
}

/**
 * Starts a process; throws or rejects with the kernel's word where it does not start. What starts it does so before it
 * returns, so that the caller's control group is the child's.
 */
export type Spawner = (request: SpawnRequest) => Child | Promise<never>;

/** By Node's own means: works everywhere, and takes longer the more memory this process has, for it forks. */
export const spawnByNode: Spawner = ({ line, directory, environment, descriptors, ids }) => {
  const options: SpawnOptions = {
    ...ids,
    argv0: line.argv0,
    cwd: directory,
    env: environment,
    detached: true,
    stdio: [...descriptors],
  };
  const child = spawn(line.file, line.args, options);
  const { pid, stdin, stdout, stderr } = child;
  if (pid === undefined) return failureOf(child);
  // Once it has started, only a failed `kill` of Node's own is reported here.
  child.on("error", () => {});
  return { pid, onExit: (listener) => void child.once("exit", listener), sockets: { stdin, stdout, stderr } };
};

/** Node reports some failures of execve(2) only by an event. */
async function failureOf(child: ChildProcess): Promise<never> {
  const [error] = (await once(child, "error").catch((error: unknown) => [error])) as [Error];
  throw error;
}
