import type { Diagnosis, DiskDiagnosis, ToolDiagnosis } from "@yonder/proto";

/** What a server found on its machine. A `problem` is told in words; empty: there is none. */
export interface ServerDiagnosis {
  readonly git: ServerTool;
  readonly ripgrep: ServerTool;
  /** Why no terminal can be opened. Empty: one can. */
  readonly terminalProblem: string;
  /** What the kernel lets the server watch. Undefined where it has no inotify. */
  readonly inotify:
    | {
        /** How many directories its user may watch. 0: unknown. */
        readonly maxUserWatches: number;
        /** How many watchers its user may have. 0: unknown. */
        readonly maxUserInstances: number;
        readonly problem: string;
      }
    | undefined;
  /** What becomes of processes whose parent is gone. Undefined where that cannot be told. */
  readonly orphans:
    | {
        /** Their new parent: the first process of the machine or container, as a rule. */
        readonly parentPid: number;
        /** Empty where it cannot be told. */
        readonly parentName: string;
        /** Whether it lets go of those that have ended. */
        readonly reaped: boolean;
      }
    | undefined;
  readonly stateDisk: ServerDisk;
  readonly workingDisk: ServerDisk;
}

/** A program that the server runs for its calls. */
export interface ServerTool {
  /** Empty: it cannot be run. */
  readonly version: string;
  readonly problem: string;
}

/** The file system that a directory of the server is on. */
export interface ServerDisk {
  readonly directory: string;
  readonly totalBytes: number;
  readonly availableBytes: number;
  /** 0: it does not count files. */
  readonly totalFiles: number;
  readonly availableFiles: number;
  readonly problem: string;
}

export function toServerDiagnosis({ inotify, orphans, ...found }: Diagnosis): ServerDiagnosis {
  return {
    git: toTool(found.git),
    ripgrep: toTool(found.ripgrep),
    terminalProblem: found.terminalProblem,
    inotify: inotify && {
      maxUserWatches: Number(inotify.maxUserWatches),
      maxUserInstances: Number(inotify.maxUserInstances),
      problem: inotify.problem,
    },
    orphans: orphans && {
      parentPid: orphans.parentPid,
      parentName: orphans.parentName,
      reaped: orphans.reaped,
    },
    stateDisk: toDisk(found.stateDisk),
    workingDisk: toDisk(found.workingDisk),
  };
}

function toTool(tool: ToolDiagnosis | undefined): ServerTool {
  return { version: tool?.version ?? "", problem: tool?.problem ?? untold };
}

function toDisk(disk: DiskDiagnosis | undefined): ServerDisk {
  return {
    directory: disk?.directory ?? "",
    totalBytes: Number(disk?.totalBytes ?? 0),
    availableBytes: Number(disk?.availableBytes ?? 0),
    totalFiles: Number(disk?.totalFiles ?? 0),
    availableFiles: Number(disk?.availableFiles ?? 0),
    problem: disk?.problem ?? untold,
  };
}

const untold = "the server says nothing of it";
