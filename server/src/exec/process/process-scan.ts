import { setImmediate } from "node:timers/promises";
import { MARK_VARIABLE } from "./environment.ts";
import { isGone, listProcesses, readEnvironmentVariable, readProcStat, type ProcStat } from "./proc-stat.ts";

/** By what a process is known to belong to an exec, or to several. */
export interface TreeSigns {
  /** The first process of each exec. */
  readonly roots: readonly ProcessIdentity[];
  readonly marks: ReadonlySet<string>;
  /** What is in its control group. */
  groupPids(): readonly number[];
  /** Sessions that are the exec's although the process that began them may be gone. */
  sessions(): readonly number[];
}

/** A process for as long as the machine is up: pids are given out again. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

/** Looks for the members of a tree; keeps between scans what cannot change. */
export interface ProcessScan {
  /**
   * One look at all processes. `onMember` is called as soon as one is known, long before the scan is over: what forks and
   * exits at once must be met at once. Undefined where there is no /proc.
   */
  run(onMember?: (member: ProcStat) => void): Promise<ProcStat[] | undefined>;
}

/** How long a scan keeps the event loop to itself. */
const SLICE_MS = 5;

export function createProcessScan(signs: TreeSigns): ProcessScan {
  /** Whose environment bears no mark, by pid and start: a process gets a mark from its parent or never. */
  const unmarked = new Map<number, number>();

  function isMarked(stat: ProcStat): boolean {
    if (unmarked.get(stat.pid) === stat.startTicks) return false;
    const mark = readEnvironmentVariable(stat.pid, MARK_VARIABLE);
    // In the midst of execve(2) there is none to read yet.
    if (mark === undefined) return false;
    if (signs.marks.has(mark)) return true;
    unmarked.set(stat.pid, stat.startTicks);
    return false;
  }

  return {
    async run(onMember) {
      const pids = listProcesses();
      if (pids === undefined) return undefined;
      const grouped = new Set(signs.groupPids());
      const spared = ourselvesAndAncestors();
      const members = new Map<number, ProcStat>();
      const others = new Map<number, ProcStat>();
      function take(stat: ProcStat): void {
        members.set(stat.pid, stat);
        others.delete(stat.pid);
        onMember?.(stat);
      }

      let sliceEnd = performance.now() + SLICE_MS;
      for (const pid of pids) {
        if (performance.now() > sliceEnd) {
          await setImmediate();
          sliceEnd = performance.now() + SLICE_MS;
        }
        if (pid <= 1 || spared.pids.has(pid)) continue;
        const stat = readProcStat(pid);
        // Those of the kernel are children of 2.
        if (stat === undefined || isGone(stat) || stat.parent === 2) continue;
        if (grouped.has(pid) || isRoot(signs, stat) || isMarked(stat)) take(stat);
        else others.set(pid, stat);
      }
      takeRelatives(signs, members, others, spared.session, take);
      return [...members.values()];
    },
  };
}

export function isRoot({ roots }: Pick<TreeSigns, "roots">, stat: ProcessIdentity): boolean {
  return roots.some((root) => stat.pid === root.pid && stat.startTicks === root.startTicks);
}

/**
 * Children of members, and whoever is in a session that a member is in: the kernel does not give a session's number to a
 * new process before the last one of the session is gone.
 */
function takeRelatives(
  signs: TreeSigns,
  members: ReadonlyMap<number, ProcStat>,
  others: ReadonlyMap<number, ProcStat>,
  ownSession: number,
  take: (stat: ProcStat) => void,
): void {
  const sessions = new Set(signs.sessions());
  // Unless a process of somebody else has that number by now.
  for (const session of sessions) if (others.has(session)) sessions.delete(session);
  for (let before = -1; before !== members.size;) {
    before = members.size;
    for (const { session } of members.values()) if (session > 0 && session !== ownSession) sessions.add(session);
    for (const stat of others.values()) {
      if (members.has(stat.parent) || sessions.has(stat.session)) take(stat);
    }
  }
}

function ourselvesAndAncestors(): { readonly pids: ReadonlySet<number>; readonly session: number } {
  const pids = new Set<number>();
  const own = readProcStat(process.pid);
  for (let stat = own; stat !== undefined && stat.pid > 0; stat = readProcStat(stat.parent)) {
    if (pids.has(stat.pid)) break;
    pids.add(stat.pid);
  }
  return { pids, session: own?.session ?? 0 };
}
