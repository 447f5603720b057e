import { closeSync, openSync, readdirSync, readSync } from "node:fs";

/** What `/proc/PID/stat` tells of a process. */
export interface ProcStat {
  readonly pid: number;
  /** One letter, as in proc_pid_stat(5): "R", "S", "T", "Z" … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** The group in the foreground of the process's terminal; -1 where it has none. */
  readonly terminalGroup: number;
  /** A thread of the kernel itself. In a container none is seen, and pid 2 is a process like any other. */
  readonly isKernel: boolean;
  readonly threads: number;
  /** In clock ticks since boot; with the pid it names a process for as long as the machine is up. */
  readonly startTicks: number;
}

/** Reads a process's stat; undefined where there is no such process, or no /proc. */
export function readProcStat(pid: number): ProcStat | undefined {
  const length = readProcFile(`/proc/${pid}/stat`);
  return length === undefined ? undefined : parseProcStat(pid, buffer.toString("latin1", 0, length));
}

const PF_KTHREAD = 0x200000;

/** The second field is the program's name in brackets, which may itself hold brackets and blanks. */
export function parseProcStat(pid: number, text: string): ProcStat | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTicks = Number(fields[19]);
  if (fields[0] === undefined || !Number.isFinite(startTicks)) return undefined;
  return {
    pid,
    state: fields[0],
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    terminalGroup: Number(fields[5]),
    isKernel: (Number(fields[6]) & PF_KTHREAD) !== 0,
    threads: Number(fields[17]),
    startTicks,
  };
}

/**
 * Whether nothing of it runs any more: it only waits to be collected by its parent. A leader whose other threads go on
 * shows as a zombie too, and is none.
 */
export function isGone(stat: ProcStat): boolean {
  return stat.state === "X" || stat.state === "x" || (stat.state === "Z" && stat.threads <= 1);
}

/** Reads the process's stat if it is still the one that began then; undefined where it is gone, or another one. */
export function readSameProcess(pid: number, startTicks: number): ProcStat | undefined {
  const stat = readProcStat(pid);
  return stat !== undefined && stat.startTicks === startTicks && !isGone(stat) ? stat : undefined;
}

/** The processes there are, the newest number first; undefined where there is no /proc. */
export function listProcesses(): number[] | undefined {
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return undefined;
  }
  const pids: number[] = [];
  for (const name of names) {
    const pid = Number(name);
    if (Number.isInteger(pid)) pids.push(pid);
  }
  return pids.toSorted((one, other) => other - one);
}

/**
 * The value of a variable in the environment that a process was started with; empty where it is not set. Undefined where
 * the environment is empty or cannot be read: root without CAP_SYS_PTRACE, as in a stock container, cannot read that of
 * another user's process.
 */
export function readEnvironmentVariable(pid: number, name: string): string | undefined {
  const length = readProcFile(`/proc/${pid}/environ`);
  if (length === undefined || length === 0) return undefined;
  const key = `${name}=`;
  for (
    let at = buffer.indexOf(key, 0, "latin1");
    at !== -1 && at < length;
    at = buffer.indexOf(key, at + 1, "latin1")
  ) {
    if (at > 0 && buffer[at - 1] !== 0) continue;
    const end = buffer.indexOf(0, at);
    return buffer.toString("latin1", at + key.length, end === -1 || end > length ? length : end);
  }
  return "";
}

/** The id of this boot, which start times count from. */
export function readBootId(): string | undefined {
  const length = readProcFile("/proc/sys/kernel/random/boot_id");
  return length === undefined ? undefined : buffer.toString("latin1", 0, length).trim();
}

/** One buffer for all: every reader here is done with it before it returns. */
let buffer: Buffer = Buffer.allocUnsafe(64 * 1024);

/** Reads a file of /proc into the buffer, which grows with it, and returns its length. */
function readProcFile(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    let length = 0;
    for (;;) {
      const read = readSync(fd, buffer, length, buffer.length - length, null);
      if (read === 0) return length;
      length += read;
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
    }
  } catch {
    // ESRCH: it went while it was read.
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** The text of `/proc/PID/status`; undefined where there is no such process. Takes a thread's number too. */
export function readProcStatus(pid: number): string | undefined {
  const length = readProcFile(`/proc/${pid}/status`);
  return length === undefined ? undefined : buffer.toString("latin1", 0, length);
}
