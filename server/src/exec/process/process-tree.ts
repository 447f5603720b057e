import { setTimeout as delay } from "node:timers/promises";
import { constants } from "node:os";
import type { ControlGroup } from "./control-group.ts";
import type { ProcessTable } from "./process-table.ts";
import { isOneOf, type ProcessIdentity, type TreeSigns } from "./tree-members.ts";
import { sendToGroup } from "./group-tree.ts";
import { readProcStat, readSameProcess, type ProcStat } from "./proc-stat.ts";

const { SIGCONT, SIGHUP, SIGKILL, SIGSTOP, SIGTERM } = constants.signals;

/** All processes of an exec: control group ∪ session ∪ process group ∪ descendants ∪ whatever bears its mark. */
export interface ProcessTree {
  /** Sends a signal to each process there is now; answers how many got it. */
  signal(signal: number): Promise<number>;
  /**
   * Stops them all, so that none slips away while the others are looked for, tells them to end, lets them go on for as
   * long as the grace lasts, then stops and kills what is left. A later call can only shorten the grace.
   *
   * What it cannot find: where there is no control group, a process that cleared its environment, left the session and
   * whose parent is gone (`env -i setsid`, forked twice). What it cannot end: what another user owns, and what hangs in
   * the kernel; it then gives up after a bounded number of rounds.
   */
  end(graceMs: number): Promise<void>;
}

export interface TreeRequest extends TreeSigns {
  readonly table: ProcessTable;
  readonly groups: readonly ControlGroup[];
  /** Whether the first process is told that its terminal is gone: an interactive shell passes over SIGTERM. */
  readonly hangsUp: boolean;
  /** Called for each process that is found, again and again. */
  onMember?(member: ProcessIdentity): void;
  /** Called when nothing was found any more. */
  onEmpty?(): void;
}

/** How often it looks for newcomers before it forbids forks, where it can, and before it goes on without. */
const CALM_ROUNDS = 2;
const FREEZE_ROUNDS = 200;
/** How often it kills what is left. With the longest pause between them, that is 10 s. */
const KILL_ROUNDS = 200;
const LONGEST_PAUSE_MS = 50;

export function createProcessTree(request: TreeRequest): ProcessTree {
  let deadline = Number.POSITIVE_INFINITY;
  let hurry = new AbortController();
  let ending: Promise<void> | undefined;

  return {
    async signal(signal) {
      let got = 0;
      const members = await request.table.find(request, (member) => {
        if (send(member, signal) === "sent") got++;
      });
      if (members?.length === 0) request.onEmpty?.();
      return got;
    },
    end(graceMs) {
      const wanted = performance.now() + graceMs;
      if (wanted < deadline) {
        deadline = wanted;
        hurry.abort();
        hurry = new AbortController();
      }
      ending ??= endTree(request, { deadline: () => deadline, hurry: () => hurry.signal }).finally(() => {
        ending = undefined;
        deadline = Number.POSITIVE_INFINITY;
      });
      return ending;
    },
  };
}

interface Grace {
  deadline(): number;
  /** Aborted when the deadline has come nearer. */
  hurry(): AbortSignal;
}

async function endTree(request: TreeRequest, grace: Grace): Promise<void> {
  const hunt = createHunt(request);
  let empty = 0;
  if (grace.deadline() > performance.now()) empty = (await endGently(request, hunt, grace)) ? 1 : 0;
  for (let round = 0; round < KILL_ROUNDS && empty < 2; round++) {
    const members = await hunt.freeze(true);
    for (const group of request.groups) group.kill();
    const killed = new Set<number>();
    for (const member of members) {
      sendToGroupOf(member, SIGKILL, killed);
      send(member, SIGKILL);
    }
    empty = members.length === 0 ? empty + 1 : 0;
    if (empty === 0) await delay(Math.min(1 + round, LONGEST_PAUSE_MS));
  }
  for (const group of request.groups) group.forbidForks(false);
  if (empty > 0) request.onEmpty?.();
}

/** SIGTERM to all at once, and then a look, again and again, at what is left of them; answers whether nothing is. */
async function endGently(request: TreeRequest, hunt: Hunt, grace: Grace): Promise<boolean> {
  let members = await hunt.freeze(false);
  for (const member of members) send(member, SIGTERM);
  if (request.hangsUp) for (const member of members) if (isOneOf(request.roots, member)) send(member, SIGHUP);
  for (const group of request.groups) group.forbidForks(false);
  for (const member of members) send(member, SIGCONT);

  for (let pauseMs = 1; performance.now() < grace.deadline(); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    members = members.filter((member) => readSameProcess(member.pid, member.startTicks) !== undefined);
    if (members.length === 0) {
      members = await hunt.look();
      if (members.length === 0) return true;
      // They came while the others went.
      for (const member of members) send(member, SIGTERM);
    }
    const leftMs = Math.max(0, grace.deadline() - performance.now());
    await delay(Math.min(pauseMs, leftMs), undefined, { signal: grace.hurry() }).catch(() => {});
  }
  return false;
}

interface Hunt {
  /** What there is now that can be signalled. */
  look(): Promise<ProcStat[]>;
  /** Stops everything that it finds until it finds nothing new, and answers what there is. */
  freeze(forbidForks: boolean): Promise<ProcStat[]>;
}

function createHunt(request: TreeRequest): Hunt {
  /** Those that we may not signal, by pid and start; waiting for them would be in vain. */
  const immune = new Map<number, number>();

  async function look(onMember?: (member: ProcStat) => void): Promise<ProcStat[]> {
    const members = await request.table.find(request, (member) => {
      request.onMember?.(member);
      onMember?.(member);
    });
    return members?.filter((member) => immune.get(member.pid) !== member.startTicks) ?? [];
  }

  return {
    look: () => look(),
    async freeze(forbidForks) {
      const stopped = new Map<number, number>();
      const stoppedGroups = new Set<number>();
      for (let round = 0; ; round++) {
        if (forbidForks || round >= CALM_ROUNDS) for (const group of request.groups) group.forbidForks(true);
        let found = 0;
        const members = await look((member) => {
          if (stopped.get(member.pid) === member.startTicks || immune.get(member.pid) === member.startTicks) return;
          sendToGroupOf(member, SIGSTOP, stoppedGroups);
          const outcome = send(member, SIGSTOP);
          if (outcome === "refused") immune.set(member.pid, member.startTicks);
          if (outcome !== "sent") return;
          stopped.set(member.pid, member.startTicks);
          found++;
        });
        if (found === 0 || round === FREEZE_ROUNDS) return members;
      }
    },
  };
}

/**
 * Signals the member's whole process group at once: the kernel lets nobody in it fork meanwhile, and a thousand processes
 * that fight for the processor stand still after one call. A group is part of a session, and so are all of it members,
 * unless somebody brought a mark into the server's own session.
 */
function sendToGroupOf(member: ProcStat, signal: number, done: Set<number>): void {
  if (done.has(member.group) || member.group <= 1) return;
  done.add(member.group);
  const now = readSameProcess(member.pid, member.startTicks);
  if (now?.group !== member.group || now.session === ownSession) return;
  sendToGroup(member.group, signal);
}

const ownSession = readProcStat(process.pid)?.session ?? 0;

/**
 * Looks once more who has that pid, right before the signal. What remains of the race is the moment between the two
 * system calls; Node has no pidfd.
 */
function send(member: ProcessIdentity, signal: number): "sent" | "gone" | "refused" {
  if (member.pid <= 1 || member.pid === process.pid) return "refused";
  if (readSameProcess(member.pid, member.startTicks) === undefined) return "gone";
  try {
    process.kill(member.pid, signal);
    return "sent";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "refused" : "gone";
  }
}
