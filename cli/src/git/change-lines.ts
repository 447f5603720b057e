import type { GitChange } from "@yonder/client";
import { jsonName, nameBytes } from "../output/names.ts";
import { style } from "../output/style.ts";

/** A change as a line: its letter, in git's colour for it, and the path. */
export function changeLine(change: GitChange): Buffer {
  const { status, conflicted, untracked, path, rawPath, oldPath, rawOldPath } = change;
  const letter = conflicted ? "U" : untracked ? "?" : letters[status];
  const colour = conflicted || untracked || status === "DELETED" ? "red" : status === "ADDED" ? "green" : "yellow";
  const now = nameBytes(rawPath ?? path);
  const before = oldPath === undefined ? [] : [nameBytes(rawOldPath ?? oldPath), Buffer.from(" -> ")];
  return Buffer.concat([Buffer.from(`${style(colour, letter)} `), ...before, now, Buffer.from("\n")]);
}

/** A change as JSON has it. */
export function changeJson(change: GitChange): Record<string, unknown> {
  const { status, conflicted, untracked, path, rawPath, oldPath, rawOldPath } = change;
  const old = oldPath === undefined ? {} : jsonName("oldPath", rawOldPath ?? oldPath);
  return { status, ...jsonName("path", rawPath ?? path), ...old, untracked, conflicted };
}

const letters: Readonly<Record<GitChange["status"], string>> = { MOVED: "R", ADDED: "A", DELETED: "D", UPDATED: "M" };
