import { randomUUID } from "node:crypto";
import { linkSync, readdirSync, readFileSync, readlinkSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  /** When the kernel started it, in ticks since boot, and which boot; so that a recycled pid is not taken for it. */
  readonly startTicks: string | undefined;
  readonly bootId: string | undefined;
  /** Among whose processes it is seen. */
  readonly pidNamespace?: string | undefined;
}

const LOCK_NAME = /^lock\.(?<generation>\d+)$/u;

/**
 * A lock on a directory that does not outlive its process. It holds among processes that see each other: two containers
 * that share a volume do not. The lock is the file `lock.N` with the highest N; its content
 * names the process. A lock whose process is gone is taken over by making N+1, which only one can, and only then are
 * older files deleted. The highest N thus never goes down, so that whoever is still looking at an older one fails to
 * make the next, or finds a higher one beside its own and takes that back.
 */
export class DirectoryLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Returns the process that holds the lock if that is alive. */
  static take(directory: string): DirectoryLock | { heldBy: number } {
    for (;;) {
      const newest = Math.max(0, ...generations(directory));
      const holder = newest === 0 ? undefined : readHolder(lockPath(directory, newest));
      if (holder !== undefined && isAlive(holder)) return { heldBy: holder.pid };
      const mine = newest + 1;
      if (!makeLock(directory, mine)) continue;
      const all = generations(directory);
      if (Math.max(...all) > mine) {
        rmSync(lockPath(directory, mine), { force: true });
        continue;
      }
      for (const older of all) if (older < mine) rmSync(lockPath(directory, older), { force: true });
      return new DirectoryLock(lockPath(directory, mine));
    }
  }

  /** Whether the process that held it was killed. False, too, where that cannot be known from here. */
  static isAbandoned(directory: string): boolean {
    try {
      const newest = Math.max(0, ...generations(directory));
      const holder = newest === 0 ? undefined : readHolder(lockPath(directory, newest));
      if (holder?.startTicks === undefined || holder.pidNamespace === undefined) return false;
      const here = holderOf(process.pid);
      const isFromHere = holder.bootId === here.bootId && holder.pidNamespace === here.pidNamespace;
      return isFromHere && !isAlive(holder);
    } catch {
      return false;
    }
  }

  /** The file stays, naming nobody: see above. */
  release(): void {
    try {
      truncateSync(this.#path);
    } catch {
      // The directory is gone or read-only; the lock ends with the process.
    }
  }
}

function generations(directory: string): number[] {
  return readdirSync(directory).flatMap((file) => {
    const generation = LOCK_NAME.exec(file)?.groups?.["generation"];
    return generation === undefined ? [] : [Number(generation)];
  });
}

function lockPath(directory: string, generation: number): string {
  return join(directory, `lock.${generation}`);
}

/** Makes the lock file with its content in one step; returns whether it was not there yet. */
function makeLock(directory: string, generation: number): boolean {
  const temporary = join(directory, `.lock.${randomUUID()}`);
  writeFileSync(temporary, JSON.stringify(holderOf(process.pid)), { flag: "wx", mode: 0o600 });
  try {
    linkSync(temporary, lockPath(directory, generation));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Undefined if the lock was released, or is gone because somebody took it over just now. */
function readHolder(path: string): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof holder === "object" && holder !== null && "pid" in holder ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function holderOf(pid: number): Holder {
  return {
    pid,
    startTicks: startTicks(pid),
    bootId: readProc("/proc/sys/kernel/random/boot_id")?.trim(),
    pidNamespace: pidNamespace(),
  };
}

function pidNamespace(): string | undefined {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.startTicks !== undefined) {
    const now = holderOf(holder.pid);
    return now.startTicks === holder.startTicks && now.bootId === holder.bootId;
  }
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Undefined for a process that is gone, even if its parent has not noticed. */
function startTicks(pid: number): string | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  // The second field, the name, may hold spaces and parentheses; the third is the state, the 22nd the start time.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" || fields?.[0] === "X" ? undefined : fields?.[19];
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
