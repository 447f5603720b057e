import { lstat } from "node:fs/promises";
import { readNames } from "../directory.ts";
import { isMissing, systemCode } from "../errno.ts";
import { kindOf } from "../file-info.ts";
import type { FileKind } from "../file-info.ts";
import { isPartName, partPrefix } from "../part-file.ts";
import { joinPath } from "../path-bytes.ts";
import type { PathBytes } from "../path-bytes.ts";

/** What is known of a name. */
export interface Seen {
  readonly kind: FileKind;
  /** Tells files apart, so that a rename can be told from a removal and a creation. */
  readonly inode: string;
  /** Another one where something changed. */
  readonly state: string;
}

/** What is at a path now; undefined where nothing is. */
export async function look(at: PathBytes): Promise<Seen | undefined> {
  try {
    const stats = await lstat(at, { bigint: true });
    const kind = kindOf(stats);
    // A directory's own times and size change with its entries, which are told themselves.
    const state =
      kind === "DIRECTORY" ? `${stats.mode}` : `${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}:${stats.mode}`;
    return { kind, inode: `${stats.dev}:${stats.ino}`, state };
  } catch (error) {
    if (isMissing(error) || systemCode(error) === "EACCES") return undefined;
    throw error;
  }
}

/** What is in a directory now, by names in latin1. Parts of uploads are not seen. */
export async function lookInto(at: PathBytes): Promise<Map<string, Seen>> {
  const names = (await readNames(at)).filter((name) => !isHidden(name));
  const seen = new Map<string, Seen>();
  for (let begin = 0; begin < names.length; begin += atOnce) {
    const some = names.slice(begin, begin + atOnce);
    const found = await Promise.all(some.map((name) => look(joinPath(at, Buffer.from(name, "latin1")))));
    for (const [index, entry] of found.entries()) if (entry !== undefined) seen.set(some[index] ?? "", entry);
  }
  return seen;
}

export function isHidden(name: string): boolean {
  return name.startsWith(partPrefix) && isPartName(Buffer.from(name, "latin1"));
}

const atOnce = 64;
