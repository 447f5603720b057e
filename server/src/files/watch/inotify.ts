import { readFile } from "node:fs/promises";
import { startWatch } from "./watched-directory.ts";

/** What the kernel lets this process's user watch. */
export interface InotifyState {
  /** 0 where it cannot be read. */
  readonly maxUserWatches: number;
  readonly maxUserInstances: number;
  /** Why nothing can be watched now; empty where something can. */
  readonly problem: string;
}

/** Reads the limits, and watches the root for a moment. Undefined where there is no inotify. Never rejects. */
export async function inotifyState(): Promise<InotifyState | undefined> {
  if (process.platform !== "linux") return undefined;
  const [maxUserWatches, maxUserInstances] = await Promise.all([
    smallest("/proc/sys/fs/inotify/max_user_watches", "/proc/sys/user/max_inotify_watches"),
    smallest("/proc/sys/fs/inotify/max_user_instances", "/proc/sys/user/max_inotify_instances"),
  ]);
  return { maxUserWatches, maxUserInstances, problem: watchProblem() };
}

/** Of the machine's limit and that of the user namespace that we are in: both hold. */
async function smallest(...paths: string[]): Promise<number> {
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8").catch(() => "")));
  const limits = texts.map((text) => Number.parseInt(text, 10)).filter((limit) => limit >= 0);
  return limits.length === 0 ? 0 : Math.min(...limits);
}

function watchProblem(): string {
  try {
    startWatch(Buffer.from("/"), () => {}).close();
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
