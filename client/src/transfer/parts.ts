import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Names of what lies beside its place until it is whole, and the processes that write it. */

/** Begins every such name. */
export const partPrefix = ".yonder-part-";

/** The end of a name that tells which process writes it. */
export function partOwner(): string {
  return `.${process.pid}`;
}

/** Whether a name tells a process that no longer runs. One that tells none is nobody's to judge. */
export function isAbandoned(name: string): boolean {
  const [, digits] = /^\.yonder-part-[0-9a-f-]+\.(\d+)$/.exec(name) ?? [];
  if (digits === undefined || Number(digits) === process.pid) return false;
  try {
    process.kill(Number(digits), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Removes what processes that are gone left in a directory, but for files that can be gone on with: their names have a "-". */
export async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!isAbandoned(name) || name.includes("-", partPrefix.length)) continue;
    await rm(join(directory, name), { recursive: true, force: true });
  }
}
