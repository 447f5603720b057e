import { closeSync, openSync, readSync } from "node:fs";
import { dirname, join } from "node:path";
import { readCount } from "./cgroup-directory.ts";
import type { Hierarchy } from "./cgroup-hierarchies.ts";

/** How many processes of the server's own control group the kernel has ended for want of memory. */
export type OomCounter = () => number;

/**
 * For an exec without a memory limit of its own: its processes count in the server's group, and where that runs out of
 * memory, as a container's does, the kernel counts it there. Which exec it was is told by who was killed at that time.
 */
export function createOomCounter(hierarchies: readonly Hierarchy[]): { readonly read: OomCounter; close(): void } {
  for (const hierarchy of hierarchies) {
    for (const path of countersOf(hierarchy)) {
      try {
        const fd = openSync(path, "r");
        return { read: () => readKills(fd), close: () => closeSync(fd) };
      } catch {
        // No such file there: see countersOf.
      }
    }
  }
  return { read: () => 0, close: () => {} };
}

/**
 * Where it may be counted, best first. In version 2 a process counts in the next group up that has the memory controller;
 * and what has groups with limits of their own below it, as those of execs are, counts theirs too, but for the ".local"
 * of Linux 5.2.
 */
function countersOf({ version, controllers, own }: Hierarchy): string[] {
  if (version === 1) return controllers.includes("memory") ? [join(own, "memory.oom_control")] : [];
  const groups = [own];
  for (let group = own; dirname(group) !== group; group = dirname(group)) groups.push(dirname(group));
  return groups.flatMap((group) => [join(group, "memory.events.local"), join(group, "memory.events")]);
}

/**
 * Whether the kernel ended a process of a group of version 2 for want of memory: one in the group itself, or one further
 * below when this group's limit was reached. What a group below does with a limit of its own is nothing of this one.
 */
export function ranOutOfMemory(group: string): boolean {
  if ((readCount(group, "memory.events", "oom_kill") ?? 0) === 0) return false;
  // Both are undefined before Linux 5.2: there is nothing that knows better.
  return ["oom_kill", "oom"].some((word) => readCount(group, "memory.events.local", word) !== 0);
}

const buffer = Buffer.allocUnsafe(4096);

function readKills(fd: number): number {
  try {
    const text = buffer.toString("latin1", 0, readSync(fd, buffer, 0, buffer.length, 0));
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
