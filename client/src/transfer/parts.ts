import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isOwnerAlive, ownOwner } from "../owner.ts";

/** Names of what lies beside its place until it is whole, and the processes that write it. */

/** Begins every such name. */
export const partPrefix = ".yonder-part-";

/** The end of a name that tells which process writes it. */
export function partOwner(): string {
  return `~${ownOwner().replaceAll("/", "~")}`;
}

/**
 * Whether nobody writes a part any more: the process that its name tells is gone. One on another machine, of another boot or
 * in another container cannot be asked; its part counts as left when nothing was written to it for a while. A name that tells
 * no process is nobody's to judge.
 */
export async function isAbandoned(directory: string, name: string): Promise<boolean> {
  const [, , owner] = readName(name);
  if (owner === undefined || name.endsWith(partOwner())) return false;
  const isAlive = isOwnerAlive(owner.replaceAll("~", "/"));
  return isAlive === undefined ? (await idleMs(join(directory, name))) > unknownIdleMs : !isAlive;
}

/** Removes what processes that are gone left in a directory, but for files that can be gone on with: their names have a "-". */
export async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const [, stem] = readName(name);
    if (stem === undefined || stem.includes("-") || !(await isAbandoned(directory, name))) continue;
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

function readName(name: string): readonly (string | undefined)[] {
  return /^\.yonder-part-([0-9a-f-]+)~([^~]+~\d+~[^~]+)$/.exec(name) ?? [];
}

/** For how long nothing was written to a part, which is a file, or a directory of files. */
async function idleMs(part: string): Promise<number> {
  try {
    const within = (await lstat(part)).isDirectory() ? await readdir(part) : [];
    const all = await Promise.all([part, ...within.map((name) => join(part, name))].map((path) => lstat(path)));
    return Date.now() - Math.max(...all.map(({ mtimeMs }) => mtimeMs));
  } catch {
    // It goes just now: somebody has it.
    return 0;
  }
}

/** A download that goes on writes more often than this, or has lost its connection for good. */
const unknownIdleMs = 15 * 60_000;
