import { setImmediate } from "node:timers/promises";
import { MARK_VARIABLE } from "./environment.ts";
import { isGone, listProcesses, readEnvironmentVariable, readProcStat, type ProcStat } from "./proc-stat.ts";
import { indexSigns, takeRelatives, type ProcessIdentity, type Search, type TreeSigns } from "./tree-members.ts";

/** The processes of this machine, for all trees together. */
export interface ProcessTable {
  /**
   * Looks at all processes once, and answers which belong to that tree. `onMember` is called as soon as one is known,
   * long before the look is over: what forks and exits at once must be met at once. Undefined where there is no /proc.
   */
  find(signs: TreeSigns, onMember?: (member: ProcStat) => void): Promise<ProcStat[] | undefined>;
}

/** How long a look keeps the event loop to itself. */
const SLICE_MS = 5;

/**
 * How often a look goes on with the processes that came during it. While it takes milliseconds to read all, what forks
 * and exits at once would be a different process each time, and never seen.
 */
const ROUNDS = 5;
/** How often it waits for those alone that are in the midst of execve(2), or that we may not read. */
const ROUNDS_FOR_UNREADABLE = 2;

/** Looks are shared: however many trees are being ended, all that ask meanwhile are served by the next one. */
export function createProcessTable(): ProcessTable {
  let waiting: Search[] = [];
  let isLooking = false;
  const readMark = createMarkReader();

  async function look(searches: readonly Search[]): Promise<void> {
    const searchesOf = indexSigns(searches);
    const spared = ourselvesAndAncestors();
    const stats = new Map<number, ProcStat>();
    const settled = new Set<number>(spared.pids);
    let sliceEnd = performance.now() + SLICE_MS;
    for (let round = 0, goOn = true; goOn && round < ROUNDS; round++) {
      const pids = listProcesses();
      if (pids === undefined) {
        for (const search of searches) search.resolve(undefined);
        return;
      }
      goOn = false;
      for (const pid of pids) {
        if (pid <= 1 || settled.has(pid)) continue;
        if (performance.now() > sliceEnd) {
          await setImmediate();
          sliceEnd = performance.now() + SLICE_MS;
        }
        const stat = readProcStat(pid);
        if (stat === undefined || isGone(stat) || stat.isKernel) {
          settled.add(pid);
          continue;
        }
        stats.set(pid, stat);
        const found = searchesOf(stat, readMark);
        for (const search of found ?? []) search.take(stat);
        if (found !== undefined) settled.add(pid);
        goOn ||= found !== undefined || round < ROUNDS_FOR_UNREADABLE;
      }
    }
    readMark.forgetAllBut(stats);
    takeRelatives(searches, stats, spared.session);
    for (const search of searches) search.resolve([...search.members.values()]);
  }

  async function lookForAll(): Promise<void> {
    isLooking = true;
    // Whoever asks in the same breath is served by the same look.
    await Promise.resolve();
    while (waiting.length > 0) {
      const searches = waiting;
      waiting = [];
      await look(searches);
    }
    isLooking = false;
  }

  return {
    find(signs, onMember) {
      return new Promise((resolve) => {
        const members = new Map<number, ProcStat>();
        function take(stat: ProcStat): void {
          if (members.has(stat.pid)) return;
          members.set(stat.pid, stat);
          onMember?.(stat);
        }
        waiting.push({ signs, members, take, resolve });
        if (!isLooking) void lookForAll();
      });
    },
  };
}

interface MarkReader {
  (process: ProcessIdentity): string | undefined;
  forgetAllBut(pids: ReadonlyMap<number, unknown>): void;
}

/** Remembers what it read: a process has its mark from its parent, or from us with its program, and for good. */
function createMarkReader(): MarkReader {
  const known = new Map<number, { readonly startTicks: number; readonly mark: string }>();
  return Object.assign(
    ({ pid, startTicks }: ProcessIdentity) => {
      const before = known.get(pid);
      if (before?.startTicks === startTicks) return before.mark;
      const mark = readEnvironmentVariable(pid, MARK_VARIABLE);
      // In the midst of execve(2) there is none to read yet.
      if (mark !== undefined) known.set(pid, { startTicks, mark });
      return mark;
    },
    {
      forgetAllBut(pids: ReadonlyMap<number, unknown>) {
        for (const pid of known.keys()) if (!pids.has(pid)) known.delete(pid);
      },
    },
  );
}

function ourselvesAndAncestors(): { readonly pids: ReadonlySet<number>; readonly session: number } {
  const pids = new Set<number>();
  const own = readProcStat(process.pid);
  for (let stat = own; stat !== undefined && !pids.has(stat.pid); stat = readProcStat(stat.parent)) pids.add(stat.pid);
  return { pids, session: own?.session ?? 0 };
}
