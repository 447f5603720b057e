import { mkdir, stat } from "node:fs/promises";

const SLASH = "/".charCodeAt(0);

/**
 * Makes a directory and what is missing of its parents; one that is there already is left as it is.
 *
 * Node's own `recursive` tries for ever under /proc, where mkdir answers ENOENT though the parent is there.
 */
export async function makeDirectories(path: string | Uint8Array, mode = 0o777): Promise<void> {
  await makeOne(Buffer.from(path), mode, true);
}

async function makeOne(path: Buffer, mode: number, mayMakeParent: boolean): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && (await isDirectory(path))) return;
    const parent = parentOf(path);
    if (code !== "ENOENT" || !mayMakeParent || parent === undefined) throw error;
    await makeOne(parent, mode, true);
    // What is still missing now is not for want of a parent.
    await makeOne(path, mode, false);
  }
}

async function isDirectory(path: Buffer): Promise<boolean> {
  const present = await stat(path).catch(() => undefined);
  return present?.isDirectory() === true;
}

/** Undefined for the root, and for a name without a directory. */
function parentOf(path: Buffer): Buffer | undefined {
  let end = path.length;
  while (end > 1 && path[end - 1] === SLASH) end--;
  const slash = path.lastIndexOf(SLASH, end - 1);
  return slash <= 0 ? undefined : path.subarray(0, slash);
}
