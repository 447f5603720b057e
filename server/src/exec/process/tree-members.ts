import type { ProcStat } from "./proc-stat.ts";

/** A process for as long as the machine is up: pids are given out again. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

/** By what a process is known to belong to an exec, or to several. */
export interface TreeSigns {
  /** The first process of each exec. */
  readonly roots: readonly ProcessIdentity[];
  readonly marks: readonly string[];
  /** What is in its control group. */
  groupPids(): readonly number[];
  /** Sessions that are the exec's although the process that began them may be gone. */
  sessions(): readonly number[];
}

/** One question for the members of a tree. */
export interface Search {
  readonly signs: TreeSigns;
  readonly members: ReadonlyMap<number, ProcStat>;
  take(stat: ProcStat): void;
  resolve(members: ProcStat[] | undefined): void;
}

export function isOneOf(processes: readonly ProcessIdentity[], { pid, startTicks }: ProcessIdentity): boolean {
  return processes.some((process) => process.pid === pid && process.startTicks === startTicks);
}

/**
 * Tells whose a process is by itself: in the control group, a root, or else by its mark, which takes longest to read.
 * Undefined where that cannot be read now.
 */
export function indexSigns(
  searches: readonly Search[],
): (stat: ProcStat, markOf: (stat: ProcStat) => string | undefined) => readonly Search[] | undefined {
  const byPid = new Map<number, Search[]>();
  const byRoot = new Map<number, Search[]>();
  const byMark = new Map<string, Search[]>();
  for (const search of searches) {
    for (const pid of search.signs.groupPids()) add(byPid, pid, search);
    for (const root of search.signs.roots) add(byRoot, root.pid, search);
    for (const mark of search.signs.marks) add(byMark, mark, search);
  }
  return (stat, markOf) => {
    const known = byPid.get(stat.pid) ?? byRoot.get(stat.pid)?.filter(({ signs }) => isOneOf(signs.roots, stat)) ?? [];
    if (known.length > 0 || byMark.size === 0) return known;
    const mark = markOf(stat);
    return mark === undefined ? undefined : (byMark.get(mark) ?? []);
  };
}

/**
 * Adds the children of members, and whoever is in a session that a member is in: the kernel gives a session's number to
 * no new process before the last one of the session is gone. The server's own session is nobody's.
 */
export function takeRelatives(
  searches: readonly Search[],
  stats: ReadonlyMap<number, ProcStat>,
  ownSession: number,
): void {
  const children = new Map<number, ProcStat[]>();
  const sessions = new Map<number, ProcStat[]>();
  for (const stat of stats.values()) {
    add(children, stat.parent, stat);
    if (stat.session > 0 && stat.session !== ownSession) add(sessions, stat.session, stat);
  }
  for (const search of searches) {
    const { signs, members } = search;
    const known = new Set<number>();
    for (const session of signs.sessions()) {
      // Unless a process of somebody else has that number by now.
      if (stats.has(session) && !members.has(session)) continue;
      for (const stat of sessions.get(session) ?? []) search.take(stat);
    }
    // A Map goes on to what is added on the way.
    for (const member of members.values()) {
      for (const child of children.get(member.pid) ?? []) search.take(child);
      if (known.has(member.session)) continue;
      known.add(member.session);
      for (const stat of sessions.get(member.session) ?? []) search.take(stat);
    }
  }
}

function add<Key, Value>(index: Map<Key, Value[]>, key: Key, value: Value): void {
  const values = index.get(key);
  if (values === undefined) index.set(key, [value]);
  else values.push(value);
}
