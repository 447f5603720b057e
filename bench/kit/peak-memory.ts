import { readFileSync } from "node:fs";

/** The most resident memory that a process ever had, in MiB; undefined where the system does not tell (macOS). */
export function peakMemoryMiB(pid: number): number | undefined {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return found === null ? undefined : Number(found[1]) / 1024;
  } catch {
    return undefined;
  }
}
