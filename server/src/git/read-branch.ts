import { readFile } from "node:fs/promises";
import { joinPath } from "../files/path-bytes.ts";
import { dotGit, findTopLevel, type GitDirectory } from "./git-directory.ts";

/** Of a repository that keeps its refs in another way this file names a branch that cannot be. */
const PLAIN = /^ref: refs\/heads\/((?!\.)[^\s]+)\n?$/;

/**
 * The current branch, from the file where it usually stands: a process less before the first answer. Undefined where it
 * is not told so plainly; git is asked then.
 */
export async function readBranch({ realPath }: GitDirectory): Promise<string | undefined> {
  const topLevel = await findTopLevel(realPath);
  if (topLevel === undefined) return undefined;
  const head = joinPath(joinPath(topLevel, dotGit), Buffer.from("HEAD"));
  const text = await readFile(head, "utf8").catch(() => "");
  return PLAIN.exec(text)?.[1];
}
