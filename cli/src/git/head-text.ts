import type { GitHead, GitRefUpdate } from "@yonder/client";
import { shownText } from "../output/names.ts";

/** Where HEAD is, for people. */
export function headText({ headId, branch }: GitHead): string {
  const at = headId === undefined ? "before the first commit" : `at ${headId.slice(0, 7)}`;
  return branch === undefined ? at : `on ${shownText(branch)}, ${at}`;
}

/** What became of a branch or tag, as `git fetch` tells it. */
export function updateLine({ refName, oldId, newId }: GitRefUpdate): string {
  const name = shownText(refName);
  if (newId === undefined) return ` - [deleted]          ${name}\n`;
  if (oldId === undefined) return ` * [new]              ${name} at ${newId.slice(0, 7)}\n`;
  return `   ${oldId.slice(0, 7)}..${newId.slice(0, 7)}   ${name}\n`;
}
