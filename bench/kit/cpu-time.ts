import { readFileSync } from "node:fs";

/** The ticks in which /proc counts, which Linux has fixed at 100 a second for programs. */
const MS_A_TICK = 10;

/** The processor time that a process has used; undefined where there is no /proc (macOS). */
export function cpuMs(pid: number): number | undefined {
  try {
    // The name, in parentheses, may hold blanks; user and system time are the 12th and 13th field behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * MS_A_TICK;
  } catch {
    return undefined;
  }
}
