import type { ExecEnd } from "@yonder/client";
import { exitCodeOfSignal, ownFailure } from "../frame/exits.ts";
import { describeEnd } from "./describe-end.ts";

/** As timeout(1) has it. */
const timedOut = 124;

/** What verbs exit with that end as a command does, for help and pages. */
export const commandExits: readonly (readonly [code: string, what: string])[] = [
  ["N", "the command exited with N, 0 to 255"],
  ["128+N", "signal N ended the command: 137 for SIGKILL"],
  ["124", "--timeout or --idle-timeout ended the command"],
  ["126", "the program is there and cannot be run; nothing was run"],
  ["127", "there is no such program; nothing was run"],
];

/** What to exit with for a command that ended so: as a shell would, had it run here. */
export function exitCodeOf({ reason, exitCode, timeoutOccurred }: ExecEnd): number {
  if (reason === "EXITED") return exitCode;
  if (timeoutOccurred) return timedOut;
  return exitCode < -1 || reason === "SIGNALED" || reason === "KILLED" ? exitCodeOfSignal(-exitCode) : ownFailure;
}

/** What there is to say of an end, beside its exit code. Undefined: nothing. */
export function remarkOn(end: ExecEnd): string | undefined {
  if (end.reason === "EXITED" || end.reason === "SIGNALED" || end.reason === "KILLED") return undefined;
  const more = end.message === "" ? "" : `: ${end.message}`;
  return `the command was ended: ${describeEnd(end)}${more}`;
}
