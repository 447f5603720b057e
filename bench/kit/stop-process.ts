import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Asks a process to end, by SIGTERM if nothing else is said, and kills it where it does not. */
export async function stopProcess(child: ChildProcess, ask?: () => void): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  if (ask === undefined) child.kill("SIGTERM");
  else ask();
  const killer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await exited;
  clearTimeout(killer);
}
