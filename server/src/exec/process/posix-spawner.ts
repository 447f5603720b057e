import { createRequire } from "node:module";
import { getSystemErrorName } from "node:util";
import { isMainThread } from "node:worker_threads";
import { spawnByNode, type Child, type Spawner } from "./child.ts";
import type { Pipe } from "./pipe.ts";
import { Reaper } from "./reaper.ts";

/** What native/posix-spawn.c has. */
interface Addon {
  /** Answers the pid, or minus the number of the error. */
  spawn(
    file: string,
    args: readonly string[],
    environment: readonly string[],
    directory: string,
    descriptors: readonly number[],
  ): number;
  /** Undefined while it runs; then its exit code, or minus the signal that ended it; null where it is not our child. */
  reap(pid: number): number | null | undefined;
  pipe(): [readEnd: number, writeEnd: number] | number;
  /** How much it holds now, or minus the number of the error. */
  resizePipe(fd: number, bytes: number): number;
}

/** What Node lacks of the system. */
export interface PosixSpawner {
  readonly spawn: Spawner;
  /** A pipe without a name, which no child inherits by itself. */
  pipe(): Pipe;
}

const NONE = -1;
const STANDARD_STREAMS = 3;

/**
 * Starts processes by posix_spawn(3), without a copy of this process's page tables: Node's spawn forks, which stops a
 * server of 150 MB for 1.5 ms, and this takes 0.1 ms whatever its size. Undefined where the addon was not compiled, and
 * in worker threads, where no signals arrive that tell of an end.
 *
 * @param nothing /dev/null, for standard streams that are to be empty
 */
export function createPosixSpawner(nothing: number): PosixSpawner | undefined {
  const loaded = isMainThread ? (native ??= loadAddon()) : undefined;
  if (loaded === undefined) return undefined;
  const { addon, reaper } = loaded;
  return {
    spawn(request) {
      const { line, directory, environment, descriptors, ids } = request;
      // Sockets and other users are Node's affair: both are the last resort of a bare machine.
      if (ids !== undefined || descriptors.includes("pipe")) return spawnByNode(request);
      const fds = descriptors.map((fd, number) =>
        typeof fd === "number" ? fd : number < STANDARD_STREAMS ? nothing : NONE,
      );
      const pairs = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      reaper.listen();
      const pid = addon.spawn(line.file, [line.argv0, ...line.args], pairs, directory, fds);
      if (pid < 0) throw systemError(pid, `spawn ${line.file}`);
      const gone = Promise.withResolvers<Parameters<Parameters<Child["onExit"]>[0]>>();
      reaper.watch(pid, (...end) => gone.resolve(end));
      return { pid, onExit: (listener) => void gone.promise.then((end) => listener(...end)), sockets: noSockets };
    },
    pipe() {
      const ends = addon.pipe();
      if (typeof ends === "number") throw systemError(ends, "pipe");
      return { readEnd: ends[0], writeEnd: ends[1] };
    },
  };
}

/** Lets a pipe hold so many bytes, by either of its ends. Where the system does not let us, it holds what it held. */
export function resizePipe(fd: number, bytes: number): void {
  (native ??= loadAddon())?.addon.resizePipe(fd, bytes);
}

const noSockets: Child["sockets"] = { stdin: null, stdout: null, stderr: null };

/** One for all launchers of this process. */
let native: { readonly addon: Addon; readonly reaper: Reaper } | undefined;

function loadAddon(): typeof native {
  try {
    const addon = createRequire(import.meta.url)("@yonder/server/posix-spawn") as Addon;
    return { addon, reaper: new Reaper((pid) => addon.reap(pid)) };
  } catch {
    return undefined;
  }
}

/** As Node's own look. */
function systemError(errno: number, syscall: string): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { errno, code, syscall });
}
