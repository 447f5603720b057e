import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readControl, readIds, tryWriteControl } from "./cgroup-directory.ts";
import { readProcStat } from "./proc-stat.ts";

/** Where groups can be made in a tree of version 2. */
export interface UnifiedParents {
  /** For groups that the server's thread steps into. */
  readonly threads: string;
  /** For groups with the memory controller; undefined where there can be none. */
  readonly memory: string | undefined;
}

/** The group that the server moves to, below the one it was started in. */
const LEAF = "yonder-server";

/**
 * Groups of threads turn the group above them into a "threaded domain", in which nobody can make ordinary groups or hand
 * down memory (https://docs.kernel.org/admin-guide/cgroup-v2.html, "Threads"): a Docker engine that a command starts
 * could not any more. So the server moves itself into a group of its own, and makes them below that one.
 *
 * Undefined where it cannot.
 */
export function unifiedParents(own: string): UnifiedParents | undefined {
  const leaf = basename(own) === LEAF ? own : moveToLeaf(own);
  if (leaf === undefined) return undefined;
  const above = dirname(leaf);
  tryWriteControl(leaf, "cgroup.subtree_control", "+pids");
  return { threads: leaf, memory: canHandDownMemory(above, leaf) ? above : undefined };
}

function moveToLeaf(own: string): string | undefined {
  const leaf = join(own, LEAF);
  try {
    mkdirSync(leaf, { recursive: true });
  } catch {
    return undefined;
  }
  return moveTo(leaf, process.pid) ? leaf : undefined;
}

/**
 * A group hands down memory only where it holds no process itself ("no internal processes"). Where the server was alone
 * in it, as a service with Delegate=yes is, it is empty by now. Besides the server only what started it in a container is
 * moved along; what else is there was put there by somebody.
 */
function canHandDownMemory(group: string, leaf: string): boolean {
  if (words(readControl(group, "cgroup.subtree_control")).includes("memory")) return true;
  if (!words(readControl(group, "cgroup.controllers")).includes("memory")) return false;
  if (handDownMemory(group)) return true;
  const starters = readIds(group, "cgroup.procs");
  if (!startedUs(starters)) return false;
  for (const pid of starters) moveTo(leaf, pid);
  if (handDownMemory(group)) return true;
  for (const pid of starters) moveTo(group, pid);
  return false;
}

function handDownMemory(group: string): boolean {
  return tryWriteControl(group, "cgroup.subtree_control", "+memory +pids");
}

/** Whether these are our ancestors, from the first process of the container on. */
function startedUs(pids: readonly number[]): boolean {
  const ancestors = new Set<number>();
  for (let pid = process.ppid; pid > 0; pid = readProcStat(pid)?.parent ?? 0) ancestors.add(pid);
  return pids.includes(1) && pids.every((pid) => ancestors.has(pid));
}

function moveTo(group: string, pid: number): boolean {
  return tryWriteControl(group, "cgroup.procs", String(pid));
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
