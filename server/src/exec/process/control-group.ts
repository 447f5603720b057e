import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { ResourceLimits } from "../spec.ts";
import * as cgroup from "./cgroup-directory.ts";
import { detectPlaces, type MemoryPlace, type TrackingPlace } from "./cgroup-places.ts";
import { GroupRemovals } from "./cgroup-removals.ts";
import { SpareGroup, type ReadyGroup } from "./cgroup-spare.ts";

/**
 * Control groups keep an exec's processes together whatever they do: a process is born into its parent's group and
 * cannot leave it without being root. They alone make the end of a tree complete.
 */
export interface ControlGroups {
  readonly tracks: boolean;
  readonly limitsMemory: boolean;
  readonly limitsProcesses: boolean;
  /** Makes the group of an exec that is likely to come. */
  prepare(mark: string): void;
  /** Makes the group of an exec, or takes the one prepared for it; undefined where none can be made. */
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

/** By the texts of /proc/self/mountinfo and /proc/self/cgroup; tries out what can be had. */
export function createControlGroups(mountinfo: string, membership: string): ControlGroups {
  const { tracking, memory } = detectPlaces(mountinfo, membership);
  const parents = [tracking?.parent, memory?.parent].filter((parent) => parent !== undefined);
  const removals = new GroupRemovals();
  const release = (directories: readonly string[]): void => removals.add(directories);
  const spare = new SpareGroup((directory) => release([directory]));
  for (const parent of parents) {
    for (const name of cgroup.groupsOfDeadServers(parent)) cgroup.removeGroup(join(parent, name));
  }

  function makeSpare({ parent, tasksFile, threaded }: TrackingPlace, mark: string): ReadyGroup | undefined {
    const made: string[] = [];
    try {
      const directory = make(made, join(parent, cgroup.groupName(mark)), threaded);
      return { directory, tasks: openSync(join(directory, tasksFile), "r+") };
    } catch {
      release(made);
      return undefined;
    }
  }

  return {
    tracks: tracking !== undefined,
    limitsMemory: memory !== undefined,
    limitsProcesses: tracking?.pids === true,
    prepare(mark) {
      if (tracking !== undefined) spare.prepare(mark, () => makeSpare(tracking, mark));
    },
    create(mark, limits) {
      const ready = spare.take(mark);
      const made = ready === undefined ? [] : [ready.directory];
      const place = ({ parent }: { parent: string }): string => join(parent, cgroup.groupName(mark));
      try {
        const trackingGroup = ready?.directory ?? (tracking && make(made, place(tracking), tracking.threaded));
        const memoryGroup = limits.memoryBytes === undefined ? undefined : memory && make(made, place(memory), false);
        if (memoryGroup !== undefined) limitMemory(memory, memoryGroup, limits.memoryBytes ?? 0);
        if (trackingGroup === undefined && memoryGroup === undefined) return undefined;
        return createGroup({ tracking, memory, trackingGroup, memoryGroup, tasks: ready?.tasks, limits, release });
      } catch (error) {
        if (ready !== undefined) closeSync(ready.tasks);
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
      spare.close();
      removals.close();
      tracking?.close();
    },
  };
}

interface GroupParts {
  readonly tracking: TrackingPlace | undefined;
  readonly memory: MemoryPlace | undefined;
  readonly trackingGroup?: string | undefined;
  readonly memoryGroup?: string | undefined;
  /** The file that moves a thread into the tracking group, where it is open already; it becomes the group's. */
  readonly tasks?: number | undefined;
  readonly limits: ResourceLimits;
  readonly release: (directories: readonly string[]) => void;
}

function createGroup(parts: GroupParts): ControlGroup {
  const { tracking, memory, trackingGroup, memoryGroup, limits } = parts;
  const directories = [trackingGroup, memoryGroup].filter((directory) => directory !== undefined);
  let { tasks } = parts;
  let oomSeen = false;

  function closeTasks(): void {
    if (tasks !== undefined) closeSync(tasks);
    tasks = undefined;
  }

  function limitForks(most: number | undefined): boolean {
    // Set in both: in version 2 the processes are in the one for memory.
    const done = directories.map((directory) => cgroup.tryWriteControl(directory, "pids.max", String(most ?? "max")));
    return done.includes(true);
  }

  /**
   * Moves this thread into the group. It is empty until then, so a server that sees no process of ours, as from another
   * container of the same hierarchy, takes it for one that a dead server left, and removes it.
   */
  function enter({ tasksFile }: TrackingPlace, directory: string): void {
    // While our own thread is in there, it counts.
    if (limits.processes !== undefined) limitForks(limits.processes + 1);
    if (tasks === undefined) cgroup.moveThisThread(join(directory, tasksFile));
    else cgroup.moveThisThreadBy(tasks);
  }

  /** Remembered, for the file goes with the group. */
  function outOfMemory(): boolean {
    if (memoryGroup !== undefined && memory !== undefined) {
      oomSeen ||= memory.ranOut(memoryGroup);
    }
    return oomSeen;
  }

  return {
    joinFile: memoryGroup && memory && join(memoryGroup, memory.joinFile),
    enclose(start) {
      if (tracking === undefined || trackingGroup === undefined) return start();
      try {
        enter(tracking, trackingGroup);
      } catch (error) {
        if (!cgroup.isGone(error)) throw error;
        closeTasks();
        make([], trackingGroup, tracking.threaded);
        enter(tracking, trackingGroup);
      }
      try {
        return start();
      } finally {
        tracking.comeHome();
        closeTasks();
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
      closeTasks();
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
