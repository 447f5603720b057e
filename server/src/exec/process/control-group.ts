import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ResourceLimits } from "../spec.ts";
import * as cgroup from "./cgroup-directory.ts";
import { detectPlaces, type MemoryPlace, type TrackingPlace } from "./cgroup-places.ts";

/**
 * Control groups keep an exec's processes together whatever they do: a process is born into its parent's group and
 * cannot leave it without being root. They alone make the end of a tree complete.
 */
export interface ControlGroups {
  readonly tracks: boolean;
  readonly limitsMemory: boolean;
  readonly limitsProcesses: boolean;
  /** Makes the group of an exec; undefined where none can be made. */
  create(mark: string, limits: ResourceLimits): ControlGroup | undefined;
  /** The groups that dead servers left for that mark. */
  leftBehind(mark: string): ControlGroup[];
  close(): void;
}

export interface ControlGroup {
  /** The control file into which the process has to write "0" before it runs its program; for a memory limit alone. */
  readonly joinFile: string | undefined;
  /** Runs what starts a process, so that the process is born into the group. It must not yield. */
  enclose<T>(start: () => T): T;
  pids(): number[];
  /** Whether the kernel ended one of its processes because it had used up the group's memory. */
  outOfMemory(): boolean;
  /** Whether nothing in it can be forked; answers whether that can be had. */
  forbidForks(forbidden: boolean): boolean;
  /** Ends everything in it at once, where the kernel can; the caller looks whether it is empty. */
  kill(): void;
  /** Removes it as soon as nothing is in it any more. */
  release(): void;
}

/** How often a group is tried again that was not empty when its exec was let go. */
const SWEEP_INTERVAL_MS = 5_000;

/** By the texts of /proc/self/mountinfo and /proc/self/cgroup; tries out what can be had. */
export function createControlGroups(mountinfo: string, membership: string): ControlGroups {
  const { tracking, memory } = detectPlaces(mountinfo, membership);
  const parents = [tracking?.parent, memory?.parent].filter((parent) => parent !== undefined);
  const released = new Set<string>();

  function sweep(): void {
    for (const directory of released) if (cgroup.removeGroup(directory)) released.delete(directory);
  }
  const timer = setInterval(sweep, SWEEP_INTERVAL_MS).unref();
  for (const parent of parents) {
    for (const name of cgroup.groupsOfDeadServers(parent)) cgroup.removeGroup(join(parent, name));
  }

  function release(directories: readonly string[]): void {
    for (const directory of directories) if (!cgroup.removeGroup(directory)) released.add(directory);
  }

  return {
    tracks: tracking !== undefined,
    limitsMemory: memory !== undefined,
    limitsProcesses: tracking?.pids === true,
    create(mark, limits) {
      const name = cgroup.groupName(mark);
      const made: string[] = [];
      try {
        const trackingGroup = tracking && make(made, join(tracking.parent, name), tracking.threaded);
        const memoryGroup =
          limits.memoryBytes === undefined ? undefined : memory && make(made, join(memory.parent, name), false);
        if (memoryGroup !== undefined) limitMemory(memory, memoryGroup, limits.memoryBytes ?? 0);
        if (trackingGroup === undefined && memoryGroup === undefined) return undefined;
        return createGroup({ tracking, memory, trackingGroup, memoryGroup, limits, release });
      } catch (error) {
        release(made);
        // Without it the exec is only less well kept together; without its limit it must not run.
        if (limits.memoryBytes !== undefined || limits.processes !== undefined) throw error;
        return undefined;
      }
    },
    leftBehind(mark) {
      return parents.flatMap((parent) =>
        cgroup
          .groupsOfDeadServers(parent)
          .filter((name) => cgroup.isGroupFor(name, mark))
          .map((name) => {
            const group =
              parent === tracking?.parent ? { trackingGroup: join(parent, name) } : { memoryGroup: join(parent, name) };
            return createGroup({ tracking, memory, ...group, limits: {}, release });
          }),
      );
    },
    close() {
      clearInterval(timer);
      sweep();
      tracking?.close();
    },
  };
}

interface GroupParts {
  readonly tracking: TrackingPlace | undefined;
  readonly memory: MemoryPlace | undefined;
  readonly trackingGroup?: string | undefined;
  readonly memoryGroup?: string | undefined;
  readonly limits: ResourceLimits;
  readonly release: (directories: readonly string[]) => void;
}

function createGroup(parts: GroupParts): ControlGroup {
  const { tracking, memory, trackingGroup, memoryGroup, limits } = parts;
  const directories = [trackingGroup, memoryGroup].filter((directory) => directory !== undefined);
  let oomSeen = false;

  function limitForks(most: number | undefined): boolean {
    // Set in both: in version 2 the processes are in the one for memory.
    const done = directories.map((directory) => cgroup.tryWriteControl(directory, "pids.max", String(most ?? "max")));
    return done.includes(true);
  }

  /** Remembered, for the file goes with the group. */
  function outOfMemory(): boolean {
    if (memoryGroup !== undefined && memory !== undefined) {
      oomSeen ||= cgroup.readCount(memoryGroup, memory.eventsFile, "oom_kill") > 0;
    }
    return oomSeen;
  }

  return {
    joinFile: memoryGroup && memory && join(memoryGroup, memory.joinFile),
    enclose(start) {
      if (tracking === undefined || trackingGroup === undefined) return start();
      // While our own thread is in there, it counts.
      if (limits.processes !== undefined) limitForks(limits.processes + 1);
      cgroup.moveThisThread(join(trackingGroup, tracking.tasksFile));
      try {
        return start();
      } finally {
        tracking.comeHome();
        if (limits.processes !== undefined) limitForks(limits.processes);
      }
    },
    pids() {
      const pids = memoryGroup === undefined ? [] : cgroup.readIds(memoryGroup, "cgroup.procs");
      if (trackingGroup !== undefined) pids.push(...(tracking?.pidsIn(trackingGroup) ?? []));
      return pids;
    },
    outOfMemory,
    forbidForks(forbidden) {
      return limitForks(forbidden ? 0 : limits.processes);
    },
    kill() {
      // Not for groups of threads: there it fails, and the caller kills one by one.
      for (const directory of directories) cgroup.tryWriteControl(directory, "cgroup.kill", "1");
    },
    release() {
      outOfMemory();
      parts.release(directories);
    },
  };
}

function make(made: string[], directory: string, threaded: boolean): string {
  mkdirSync(directory);
  made.push(directory);
  if (threaded) cgroup.writeControl(directory, "cgroup.type", "threaded");
  return directory;
}

function limitMemory(memory: MemoryPlace | undefined, directory: string, bytes: number): void {
  if (memory === undefined) return;
  cgroup.writeControl(directory, memory.limitFile, String(bytes));
  // With swap, where it is counted; else memory would be swapped out instead.
  if (memory.swap !== undefined) cgroup.tryWriteControl(directory, memory.swap.file, memory.swap.value(bytes));
}
