import { lstat, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../../files/errno.ts";
import { removeDirectory } from "../../files/remove-directory.ts";
import { DirectoryLock } from "./directory-lock.ts";

const prefix = "yonder-";
const made = /^yonder-[A-Za-z0-9]{6}$/u;
/** In a directory that nobody chose: what somebody named may be opened again, whatever it is called. */
const marker = "temporary";

/** Makes a state directory that goes with its process, and removes those of processes that were killed. */
export async function makeTemporary(parent: string): Promise<string> {
  await removeAbandoned(parent);
  const path = await mkdtemp(join(parent, prefix));
  await writeFile(join(path, marker), "");
  return path;
}

/** With care: in it are directories of other users, who may put links in the place of what is just being removed. */
export async function removeTemporary(path: string): Promise<void> {
  await removeDirectory(Buffer.from(path)).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

/** What cannot be removed stays: it is nobody's business now but that of whoever cleans up there. */
async function removeAbandoned(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((each) => made.test(each))) {
    const path = join(parent, name);
    if ((await isTemporary(path)) && DirectoryLock.isAbandoned(path)) {
      await removeTemporary(path).catch(() => {});
    }
  }
}

async function isTemporary(path: string): Promise<boolean> {
  try {
    const [directory] = await Promise.all([lstat(path), lstat(join(path, marker))]);
    return directory.isDirectory() && directory.uid === process.geteuid?.();
  } catch {
    return false;
  }
}
