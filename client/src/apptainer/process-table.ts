import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process of this machine. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** One letter, as in `ps`: "T" is stopped, "Z" dead and not yet waited for. */
  readonly state: string;
  /** In clock ticks since the machine started: tells it from another one with the same id. */
  readonly startTime: string;
}

/** Undefined where there is none, or it is another user's to see. */
export function findProcess(pid: number): ProcessEntry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name, in parentheses, may have anything in it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, state: fields[0] ?? "", parent: Number(fields[1]), startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** Whether it is still that one, and alive. */
export function isRunning(process: Pick<ProcessEntry, "pid" | "startTime">): boolean {
  const now = findProcess(process.pid);
  return now !== undefined && now.startTime === process.startTime && !/[ZX]/.test(now.state);
}

/** The processes of the PID namespace of which `pid` is one; none where that is this process's own. */
export function namespaceMembers(pid: number): ProcessEntry[] {
  const namespace = namespaceOf(pid);
  if (namespace === undefined || namespace === namespaceOf(process.pid)) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && namespaceOf(Number(name)) === namespace)
    .map((name) => findProcess(Number(name)))
    .filter((entry) => entry !== undefined);
}

/** The id by which a process knows itself. */
export function innerPid(pid: number): number | undefined {
  try {
    const [, ids] = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(ids?.trim().split(/\s+/).at(-1));
  } catch {
    return undefined;
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
