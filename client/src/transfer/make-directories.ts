import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes a directory of this machine and those on the way. Node's own `recursive` never ends where none can be, as in /proc. */
export async function makeDirectories(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && parent !== path) {
      await makeDirectories(parent);
      await mkdir(path).catch((reason: unknown) => ensureDirectory(path, reason));
    } else {
      await ensureDirectory(path, error);
    }
  }
}

async function ensureDirectory(path: string, error: unknown): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  if (present?.isDirectory() !== true) throw error;
}
