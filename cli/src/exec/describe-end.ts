import type { ExecEnd } from "@yonder/client";

/** How a command ended, in a few words. */
export function describeEnd({ reason, exitCode, signal }: ExecEnd): string {
  switch (reason) {
    case "EXITED":
      return `exited ${exitCode}`;
    case "SIGNALED":
    case "KILLED":
      return `${reason.toLowerCase()} ${signal ?? ""}`.trimEnd();
    case "TIMED_OUT":
    case "IDLE_TIMED_OUT":
    case "DISCONNECTED":
    case "OUTPUT_LIMIT":
    case "OUT_OF_MEMORY":
    case "SERVER_STOPPED":
    case "SERVER_LOST":
    case "UNKNOWN":
      return reason.toLowerCase().replaceAll("_", " ");
  }
}
