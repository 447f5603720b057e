import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import * as cgroup from "./cgroup-directory.ts";
import { parseHierarchies, type Hierarchy } from "./cgroup-hierarchies.ts";
import { unifiedParents } from "./cgroup-unified.ts";
import { ranOutOfMemory } from "./oom-counter.ts";
import { readProcStatus } from "./proc-stat.ts";

/** Where groups can be made that the server's thread may step into. */
export interface TrackingPlace {
  readonly parent: string;
  /** Written by a thread, it moves that thread alone. */
  readonly tasksFile: string;
  readonly threaded: boolean;
  /** Whether it limits how many processes there are. */
  readonly pids: boolean;
  /** Moves the thread back to where the server is. */
  comeHome(): void;
  pidsIn(group: string): number[];
  close(): void;
}

/** Where groups can be made that limit memory. */
export interface MemoryPlace {
  readonly parent: string;
  readonly joinFile: string;
  readonly limitFile: string;
  /** Whether the kernel ended one of its processes because there was no more memory. */
  ranOut(group: string): boolean;
  readonly swap: { readonly file: string; value(bytes: number): string };
}

/**
 * How a process comes to be born into a group. Moving one into it afterwards takes a lock that waits for an RCU grace
 * period: 5 to 30 ms, in which the process runs outside and may already have children. A thread that moves itself takes
 * no such lock (cgroup_procs_write_start in kernel/cgroup/cgroup.c), about 30 µs. So the server's main thread steps into
 * the exec's group, forks, and steps back. That needs groups that hold single threads: any of version 1, and "threaded"
 * ones of version 2.
 *
 * Never one of the memory controller: while the thread is in it, the kernel may pick the server when memory runs out.
 * For a memory limit the process moves itself, before it runs its program.
 */
export function detectPlaces(
  mountinfo: string,
  membership: string,
): { readonly tracking: TrackingPlace | undefined; readonly memory: MemoryPlace | undefined } {
  const hierarchies = parseHierarchies(mountinfo, membership);
  const pids = legacyTracking(hierarchies, ["pids"]).find(canStepInto);
  const memory = legacyMemory(hierarchies).find(canLimitMemory);
  if (pids !== undefined && memory !== undefined) return { tracking: pids, memory };
  // Only now, for it moves the server.
  const own = hierarchies.find((hierarchy) => hierarchy.version === 2)?.own;
  const unified = own === undefined ? undefined : unifiedParents(own);
  return {
    tracking:
      pids ??
      (unified === undefined ? [] : [unifiedTracking(unified.threads)]).find(canStepInto) ??
      legacyTracking(hierarchies, ["freezer", "cpuacct", "cpu", "devices", "perf_event", "net_cls"]).find(canStepInto),
    memory: memory ?? (unified?.memory === undefined ? [] : [unifiedMemory(unified.memory)]).find(canLimitMemory),
  };
}

function legacyTracking(hierarchies: readonly Hierarchy[], controllers: readonly string[]): TrackingPlace[] {
  return controllers.flatMap((controller) =>
    hierarchies
      .filter((hierarchy) => hierarchy.controllers.includes(controller) && !hierarchy.controllers.includes("memory"))
      .map((hierarchy) => ({
        parent: hierarchy.own,
        tasksFile: "tasks",
        threaded: false,
        pids: hierarchy.controllers.includes("pids"),
        pidsIn: (group: string) => cgroup.readIds(group, "cgroup.procs"),
        ...home(join(hierarchy.own, "tasks")),
      })),
  );
}

function unifiedTracking(parent: string): TrackingPlace {
  return {
    parent,
    tasksFile: "cgroup.threads",
    threaded: true,
    pids: cgroup.readControl(parent, "cgroup.subtree_control").split(/\s+/).includes("pids"),
    ...home(join(parent, "cgroup.threads")),
    // A threaded group lists only threads.
    pidsIn: (group) =>
      [...new Set(cgroup.readIds(group, "cgroup.threads").map(processOfThread))].filter((pid) => pid > 0),
  };
}

/** Held open: it is written to at every launch. */
function home(file: string): Pick<TrackingPlace, "comeHome" | "close"> {
  let fd: number | undefined;
  return {
    comeHome() {
      fd ??= openSync(file, "r+");
      cgroup.moveThisThreadBy(fd);
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

function processOfThread(thread: number): number {
  return Number(/^Tgid:\s*(\d+)$/m.exec(readProcStatus(thread) ?? "")?.[1] ?? 0);
}

function legacyMemory(hierarchies: readonly Hierarchy[]): MemoryPlace[] {
  return hierarchies
    .filter((hierarchy) => hierarchy.controllers.includes("memory"))
    .map((hierarchy) => ({
      parent: hierarchy.own,
      joinFile: "tasks",
      limitFile: "memory.limit_in_bytes",
      ranOut: (group) => (cgroup.readCount(group, "memory.oom_control", "oom_kill") ?? 0) > 0,
      swap: { file: "memory.memsw.limit_in_bytes", value: (bytes) => String(bytes) },
    }));
}

function unifiedMemory(parent: string): MemoryPlace {
  return {
    parent,
    joinFile: "cgroup.procs",
    limitFile: "memory.max",
    ranOut: ranOutOfMemory,
    swap: { file: "memory.swap.max", value: () => "0" },
  };
}

function canStepInto(place: TrackingPlace): boolean {
  const works = tryOut(place.parent, (group) => {
    // First where we are already: who cannot come home must not leave.
    place.comeHome();
    if (place.threaded) cgroup.writeControl(group, "cgroup.type", "threaded");
    cgroup.moveThisThread(join(group, place.tasksFile));
    place.comeHome();
    return true;
  });
  if (!works) place.close();
  return works;
}

function canLimitMemory(place: MemoryPlace): boolean {
  return tryOut(place.parent, (group) => cgroup.tryWriteControl(group, place.limitFile, String(2 ** 30)));
}

function tryOut(parent: string, use: (group: string) => boolean): boolean {
  const group = join(parent, cgroup.groupName("try"));
  try {
    mkdirSync(group);
    return use(group);
  } catch {
    return false;
  } finally {
    cgroup.removeGroup(group);
  }
}
