import { closeSync, constants, fchmodSync, fchownSync, futimesSync, openSync, renameSync, writeSync } from "node:fs";
import { exactSeconds } from "./modify-time.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Owner } from "./tree-entry.ts";

/** How a file that is written looks at its end. */
export interface Looks {
  readonly mode: number;
  /** Seconds since 1970, to the microsecond. */
  readonly modifyTime: number;
  /** Whom it is given to, where that is allowed. */
  readonly owner: Owner | undefined;
}

/** Opens what must not be there yet. */
export const writeNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Whether a file that was opened with this mode has to be given it again: the umask may have taken bits away. */
export function isMasked(mode: number): boolean {
  return (mode & (umask | 0o7000)) !== 0;
}

/** Writes a whole file as `part` and renames it to `at`, on this thread. */
export function writeSmall(part: PathBytes, at: PathBytes, data: readonly Uint8Array[], looks: Looks): void {
  const { mode, modifyTime, owner } = looks;
  const descriptor = openSync(part, writeNew, mode & 0o777);
  try {
    for (const piece of data) {
      for (let begin = 0; begin < piece.length;) begin += writeSync(descriptor, piece, begin);
    }
    // Before the mode is set, whose set-user-id bit another owner clears.
    if (owner !== undefined) give(descriptor, owner);
    if (isMasked(mode)) fchmodSync(descriptor, mode);
    const time = exactSeconds(modifyTime);
    futimesSync(descriptor, time, time);
  } finally {
    closeSync(descriptor);
  }
  renameSync(part, at);
}

function give(descriptor: number, { uid, gid }: Owner): void {
  try {
    fchownSync(descriptor, uid, gid);
  } catch {
    // Only root may give files away.
  }
}

const umask = process.umask();
