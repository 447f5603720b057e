import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Hierarchy } from "./cgroup-hierarchies.ts";

/** How many processes of the server's own control group the kernel has ended for want of memory. */
export type OomCounter = () => number;

/**
 * For an exec without a memory limit of its own: its processes count in the server's group, and where that runs out of
 * memory, as a container's does, the kernel counts it there. Which exec it was is told by who was killed at that time.
 */
export function createOomCounter(hierarchies: readonly Hierarchy[]): { readonly read: OomCounter; close(): void } {
  for (const hierarchy of hierarchies) {
    if (hierarchy.version === 1 && !hierarchy.controllers.includes("memory")) continue;
    const path = join(hierarchy.own, hierarchy.version === 1 ? "memory.oom_control" : "memory.events");
    try {
      const fd = openSync(path, "r");
      return { read: () => readCount(fd), close: () => closeSync(fd) };
    } catch {
      // No such file: version 2 without the memory controller.
    }
  }
  return { read: () => 0, close: () => {} };
}

const buffer = Buffer.allocUnsafe(4096);

function readCount(fd: number): number {
  try {
    const text = buffer.toString("latin1", 0, readSync(fd, buffer, 0, buffer.length, 0));
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
