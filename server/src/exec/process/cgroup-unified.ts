import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readControl, readIds, removeGroup, tryWriteControl } from "./cgroup-directory.ts";
import { readProcStat } from "./proc-stat.ts";

/** Where groups can be made in a tree of version 2. */
export interface UnifiedParents {
  /** For groups that a thread may step into: only those below the server's own, and without the memory controller. */
  readonly threads: string;
  /** For groups with the memory controller; undefined where there can be none. */
  readonly memory: string | undefined;
}

/** The group that the server moves to, so that its old one may have children with controllers. */
const LEAF = "yonder-server";

/**
 * Version 2 gives no memory controller to the children of a group that holds processes itself ("no internal processes",
 * https://docs.kernel.org/admin-guide/cgroup-v2.html). So the server moves into a leaf, where nobody but itself is moved
 * with it: it is alone in its group, as a service with Delegate=yes is, or only with what started it in a container.
 */
export function unifiedParents(own: string): UnifiedParents {
  const parents = withMemory(own);
  tryWriteControl(parents.threads, "cgroup.subtree_control", "+pids");
  return parents;
}

function withMemory(own: string): UnifiedParents {
  if (!words(readControl(own, "cgroup.controllers")).includes("memory")) return { threads: own, memory: undefined };
  if (basename(own) === LEAF && handsDownMemory(dirname(own))) return { threads: own, memory: dirname(own) };
  if (handsDownMemory(own) || enableMemory(own)) return { threads: own, memory: own };
  const leaf = moveToLeaf(own);
  if (leaf === undefined) return { threads: own, memory: undefined };
  if (enableMemory(own)) return { threads: leaf, memory: own };
  for (const pid of readIds(leaf, "cgroup.procs")) tryWriteControl(own, "cgroup.procs", String(pid));
  removeGroup(leaf);
  return { threads: own, memory: undefined };
}

function handsDownMemory(group: string): boolean {
  return words(readControl(group, "cgroup.subtree_control")).includes("memory");
}

function enableMemory(group: string): boolean {
  return tryWriteControl(group, "cgroup.subtree_control", "+memory +pids");
}

function moveToLeaf(own: string): string | undefined {
  const pids = readIds(own, "cgroup.procs");
  if (!areOnlyOurs(pids)) return undefined;
  const leaf = join(own, LEAF);
  try {
    mkdirSync(leaf, { recursive: true });
  } catch {
    return undefined;
  }
  for (const pid of pids) tryWriteControl(leaf, "cgroup.procs", String(pid));
  return leaf;
}

/** Ourselves, and in a container what started us, up to its first process. */
function areOnlyOurs(pids: readonly number[]): boolean {
  const ours = new Set([process.pid]);
  if (pids.includes(1)) {
    for (let pid = process.ppid; pid > 0; pid = readProcStat(pid)?.parent ?? 0) ours.add(pid);
  }
  return pids.every((pid) => ours.has(pid));
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
