import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isGone, readProcStat } from "./proc-stat.ts";

/** What becomes of processes whose parent is gone. */
export interface OrphanCare {
  readonly parentPid: number;
  /** Empty where it cannot be told. */
  readonly parentName: string;
  /** Whether its new parent lets go of one that has ended. */
  readonly reaped: boolean;
}

/** How long the new parent may take: some look only every few seconds. */
const patienceMs = 3_500;
const lookMs = 10;

/**
 * Makes an orphan that ends at once, and looks whether it stays as a zombie: it does for good where the first process of
 * a container is a program that knows nothing of this duty. Undefined where there is no shell or no /proc. Never rejects.
 */
export async function orphanCare(shell: string | undefined): Promise<OrphanCare | undefined> {
  if (shell === undefined) return undefined;
  const orphan = await makeOrphan(shell);
  if (orphan === undefined) return undefined;
  const deadline = performance.now() + patienceMs;
  let parentPid = 0;
  for (;;) {
    const stat = readProcStat(orphan);
    if (stat !== undefined) parentPid = stat.parent;
    const isLeft = stat !== undefined && isGone(stat);
    if (stat === undefined || performance.now() >= deadline) {
      // One that still runs after all this time tells nothing.
      if (stat !== undefined && !isLeft) return undefined;
      return { parentPid: parentPid || 1, parentName: nameOf(parentPid || 1), reaped: stat === undefined };
    }
    await sleep(lookMs);
  }
}

/** The number of a process that has lost its parent and is about to end. */
async function makeOrphan(shell: string): Promise<number | undefined> {
  return await new Promise((resolve) => {
    // It outlives the shell by the read of a line that never comes: the shell's end closes the pipe.
    const script = "exec 3<&0; (read -r line) <&3 >/dev/null 2>&1 & echo $!";
    const child = execFile(shell, ["-c", script], { timeout: patienceMs }, (error, stdout) => {
      const pid = Number.parseInt(stdout, 10);
      resolve(error === null && pid > 0 ? pid : undefined);
      child.stdin?.end();
    });
    child.stdin?.on("error", () => {});
  });
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
