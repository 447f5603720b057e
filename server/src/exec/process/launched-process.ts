import { constants } from "node:os";
import type { LaunchedProcess, LeftoverMark, OutputSource, ProcessExit, ProcessInput } from "../launcher.ts";
import type { Child } from "./child.ts";
import type { ControlGroup } from "./control-group.ts";
import type { OomCounter } from "./oom-counter.ts";
import { createGroupTree } from "./group-tree.ts";
import { listProcesses, readProcStat, readProcStatus, readSameProcess } from "./proc-stat.ts";
import type { ProcessTable } from "./process-table.ts";
import { createProcessTree } from "./process-tree.ts";
import { signalName } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

export interface LaunchedParts {
  readonly child: Child;
  readonly pid: number;
  readonly leftoverMark: LeftoverMark;
  readonly outputs: readonly OutputSource[];
  readonly input: ProcessInput | undefined;
  readonly terminal: Terminal | undefined;
  readonly group: ControlGroup | undefined;
  readonly table: ProcessTable;
  readonly oomCounter: OomCounter;
}

export function createLaunchedProcess(parts: LaunchedParts): LaunchedProcess {
  const { child, pid, leftoverMark, outputs, input, terminal, group, oomCounter } = parts;
  const { startTicks } = leftoverMark;
  const root = startTicks === undefined ? undefined : { pid, startTicks };
  const oomKillsBefore = oomCounter();
  let exit: ProcessExit | undefined;
  let isSessionOurs = true;
  let fatalRealTimeSignal: number | undefined;
  let serverOutOfMemory = false;

  const tree =
    root === undefined
      ? createGroupTree(pid)
      : createProcessTree({
          table: parts.table,
          roots: [root],
          marks: [leftoverMark.mark],
          groups: group === undefined ? [] : [group],
          groupPids: () => group?.pids() ?? [],
          sessions: () => (isSessionOurs ? [pid] : []),
          hangsUp: terminal !== undefined,
          onEmpty: () => {
            if (exit !== undefined) isSessionOurs = false;
          },
        });

  const exited = new Promise<ProcessExit>((resolve) => {
    child.onExit((code, signal) => {
      exit = exitOf(code, signal, fatalRealTimeSignal);
      // Its pid is free again, for a process or a session of somebody else, unless others of its group or, in a
      // terminal, of its jobs' groups hold the session's number.
      isSessionOurs = terminal !== undefined || isGroupAlive(pid);
      if (exit.signal === "SIGKILL" || exit.exitCode === 137) serverOutOfMemory = oomCounter() > oomKillsBefore;
      resolve(exit);
    });
  });

  /** The command's own process, if it is still there. */
  function leader(): ReturnType<typeof readProcStat> {
    return root === undefined || exit !== undefined ? undefined : readSameProcess(root.pid, root.startTicks);
  }

  function signalLeader(signal: number): number {
    if (exit !== undefined || (root !== undefined && leader() === undefined)) return 0;
    if (signal > HIGHEST_NAMED && endsProcess(pid, signal)) fatalRealTimeSignal = signal;
    return kill(pid, signal) ? 1 : 0;
  }

  function signalGroup(signal: number): number {
    const foreground = terminal === undefined ? undefined : leader()?.terminalGroup;
    const target = foreground !== undefined && foreground > 0 ? foreground : pid;
    const members = membersOfGroup(target, pid);
    if (members === undefined) return exit === undefined && kill(-target, signal) ? 1 : 0;
    if (members === 0 || (exit !== undefined && !isSessionOurs)) return 0;
    if (target === pid && signal > HIGHEST_NAMED && exit === undefined && endsProcess(pid, signal))
      fatalRealTimeSignal = signal;
    return kill(-target, signal) ? members : 0;
  }

  return {
    pid,
    leftoverMark,
    outputs,
    input,
    exited,
    outOfMemory: () => group?.outOfMemory() === true || serverOutOfMemory,
    async signal(signal, target) {
      if (target === "process") return signalLeader(signal);
      if (target === "group" || root === undefined) return signalGroup(signal);
      if (signal > HIGHEST_NAMED && leader() !== undefined && endsProcess(pid, signal)) fatalRealTimeSignal = signal;
      return tree.signal(signal);
    },
    endTree: (graceMs) => tree.end(graceMs),
    resize: (columns, rows) => terminal?.resize(columns, rows),
    release: () => group?.release(),
  };
}

const HIGHEST_NAMED = constants.signals.SIGSYS;

/**
 * Node knows no name for a real-time signal and reports "exited with 0" for a process that one ended. One that we sent
 * ourselves, and that the process neither caught, ignored nor blocked, is told as what it was.
 */
function exitOf(code: number | null, signal: string | null, fatalRealTimeSignal: number | undefined): ProcessExit {
  if (code === 0 && fatalRealTimeSignal !== undefined)
    return { exitCode: undefined, signal: signalName(fatalRealTimeSignal) };
  return { exitCode: code ?? undefined, signal: signal ?? undefined };
}

function endsProcess(pid: number, signal: number): boolean {
  const status = readProcStatus(pid) ?? "";
  const bit = 1n << BigInt(signal - 1);
  return ["SigBlk", "SigIgn", "SigCgt"].every((name) => {
    const mask = new RegExp(`^${name}:\\s*([\\da-f]+)$`, "m").exec(status)?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & bit) === 0n;
  });
}

/** How many processes are in that group of that session; undefined where there is no /proc. */
function membersOfGroup(group: number, session: number): number | undefined {
  return listProcesses()?.filter((pid) => {
    const stat = readProcStat(pid);
    return stat !== undefined && stat.group === group && stat.session === session && stat.state !== "Z";
  }).length;
}

function isGroupAlive(group: number): boolean {
  return kill(-group, 0);
}

function kill(target: number, signal: number): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    return signal === 0 && (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
