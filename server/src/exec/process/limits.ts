import { readFileSync } from "node:fs";
import { Unsupported } from "../../util/errors.ts";
import type { LauncherFeature } from "../launcher.ts";
import type { ResourceLimits } from "../spec.ts";
import type { Preparation } from "./command-line.ts";

const needs = [
  [
    "memoryBytes",
    "memory_bytes",
    "MEMORY_LIMIT",
    "give the server a control group with the memory controller that it may write to",
  ],
  [
    "processes",
    "processes",
    "PROCESS_LIMIT",
    "give the server a control group with the pids controller that it may write to",
  ],
  ["cpuTimeSeconds", "cpu_time", "CPU_TIME_LIMIT", "install a shell"],
  ["openFiles", "open_files", "OPEN_FILES_LIMIT", "install a shell"],
] as const satisfies readonly (readonly [keyof ResourceLimits, string, LauncherFeature, string])[];

/** Refuses a limit that would not be kept. */
export function assertEnforceable(limits: ResourceLimits, features: ReadonlySet<LauncherFeature>): void {
  for (const [key, field, feature, cure] of needs) {
    if (limits[key] === undefined || features.has(feature)) continue;
    throw new Unsupported("LIMIT_UNSUPPORTED", `This server cannot enforce limits.${field} on this machine.`, {
      subject: `limits.${field}`,
      remedy: `Leave it out, or ${cure}.`,
    });
  }
}

/**
 * The limits that each process keeps for itself. None can be raised above what the server has, so one that is higher is
 * kept already. Past the soft one the kernel sends SIGXCPU, a second later, past the hard one, SIGKILL.
 */
export function processLimits(limits: ResourceLimits): Pick<Preparation, "cpuTimeSeconds" | "openFiles"> {
  const { cpuTimeSeconds, openFiles } = limits;
  return {
    cpuTimeSeconds: cpuTimeSeconds === undefined ? undefined : cpuTime(cpuTimeSeconds),
    openFiles: openFiles === undefined ? undefined : Math.min(openFiles, hardLimit("Max open files")),
  };
}

function cpuTime(seconds: number): { readonly soft: number; readonly hard: number } {
  const most = hardLimit("Max cpu time");
  return { soft: Math.min(seconds, most), hard: Math.min(seconds + 1, most) };
}

function hardLimit(name: string): number {
  try {
    const line = readFileSync("/proc/self/limits", "utf8")
      .split("\n")
      .find((line) => line.startsWith(name));
    const hard = Number(/(\d+|unlimited)\s+(\d+|unlimited)\s+\S*\s*$/.exec(line ?? "")?.[2]);
    return Number.isNaN(hard) ? Number.POSITIVE_INFINITY : hard;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
