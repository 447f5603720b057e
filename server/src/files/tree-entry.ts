import { InvalidRequest } from "../util/errors.ts";
import { pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";

/** An entry of a tree that is to be written, with names that are safe to go by. */
export interface TreeEntry {
  /** The whole name, for people. */
  readonly name: PathBytes;
  /** Its names, from the top of the tree; empty for the top itself. */
  readonly names: readonly PathBytes[];
  readonly type: "file" | "directory" | "symlink" | "hardlink";
  readonly size: number;
  readonly mode: number;
  /** Seconds since 1970, to the microsecond. */
  readonly modifyTime: number;
  /** Where a symbolic link points, as it is. */
  readonly target: PathBytes;
  /** The names of the file that a hard link is another name of. */
  readonly linkNames: readonly PathBytes[];
  /** Who owns what is copied; a tar stream's owners are of another machine. */
  readonly owner?: Owner;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whether a copy of it would lend whoever runs it the rights of its owner or group, and perhaps of others than it did. */
export function lendsRights({ mode, owner }: TreeEntry): boolean {
  return owner !== undefined && (mode & (setUserId | setGroupId)) !== 0;
}

/** The mode of a copy that belongs to `own`: it lends the rights of those alone who own what was copied, too. */
export function modeFor({ mode, owner }: TreeEntry, own: Owner): number {
  const lent = (own.uid === owner?.uid ? setUserId : 0) | (own.gid === owner?.gid ? setGroupId : 0);
  return mode & (0o1777 | lent);
}

/** An entry that is not written, for what its name is. */
export function refused(entry: PathBytes, why: string): InvalidRequest {
  const subject = pathText(entry);
  return new InvalidRequest("ENTRY_REFUSED", `The entry's name ${why}: ${subject}`, { subject });
}

const setUserId = 0o4000;
const setGroupId = 0o2000;
