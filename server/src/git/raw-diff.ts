import type { PathBytes } from "../files/path-bytes.ts";

export type ChangeStatus = "ADDED" | "DELETED" | "UPDATED" | "MOVED" | "TYPE_CHANGED" | "UNCHANGED";

/** One path that differs. Modes are numbers as git writes them in octal; 0 stands for nothing there. */
export interface Change {
  readonly path: PathBytes;
  readonly status: ChangeStatus;
  readonly oldPath: PathBytes | undefined;
  readonly similarity: number;
  readonly oldMode: number;
  readonly newMode: number;
  readonly oldId: string;
  readonly untracked: boolean;
  readonly conflicted: boolean;
}

/** What makes `git diff` say the same wherever it runs: nothing of it is up to anybody's configuration. */
export const DIFF_ARGUMENTS = [
  "--no-ext-diff",
  "--no-textconv",
  "--no-color",
  "--no-abbrev",
  "--ignore-submodules=dirty",
  "--submodule=short",
  "--find-renames",
  "--src-prefix=a/",
  "--dst-prefix=b/",
  "-O/dev/null",
] as const;

const COLON = 0x3a;
const STATUS: Readonly<Record<string, ChangeStatus>> = {
  A: "ADDED",
  D: "DELETED",
  M: "UPDATED",
  R: "MOVED",
  T: "TYPE_CHANGED",
  U: "UPDATED",
};

/**
 * Reads the output of `git diff --raw -z --no-abbrev` and what stands behind it. A path in conflict may have two
 * entries, one of them with the status U: it comes once, as conflicted.
 */
export function parseRawDiff(output: Buffer): { changes: Change[]; rest: Buffer } {
  const changes: Change[] = [];
  let conflicted: PathBytes | undefined;
  let at = 0;

  const field = (): Buffer => {
    const end = output.indexOf(0, at);
    const value = output.subarray(at, end === -1 ? output.length : end);
    at += value.length + 1;
    return value;
  };

  while (output[at] === COLON) {
    // ":100644 100644 <id> <id> R086"
    const [oldMode = "", newMode = "", oldId = "", , letter = ""] = field().toString("latin1").slice(1).split(" ");
    const first = field();
    const isMoved = letter.startsWith("R");
    const change: Change = {
      path: isMoved ? field() : first,
      status: STATUS[letter.charAt(0)] ?? "UPDATED",
      oldPath: isMoved ? first : undefined,
      similarity: isMoved ? Number(letter.slice(1)) : 0,
      oldMode: Number.parseInt(oldMode, 8),
      newMode: Number.parseInt(newMode, 8),
      oldId,
      untracked: false,
      conflicted: letter === "U",
    };
    if (conflicted?.equals(change.path) === true) {
      // The second entry of the pair says more.
      changes.pop();
      changes.push({ ...change, conflicted: true });
    } else {
      changes.push(change);
    }
    conflicted = change.conflicted ? change.path : undefined;
  }
  return { changes, rest: output.subarray(Math.min(at, output.length)) };
}

/** Reads values that each end with a NUL byte. */
export function splitNul(output: Buffer): Buffer[] {
  const values: Buffer[] = [];
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(0, at);
    const stop = end === -1 ? output.length : end;
    values.push(output.subarray(at, stop));
    at = stop + 1;
  }
  return values;
}
