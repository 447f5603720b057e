import type { Identity } from "../rpc/identity.ts";
import type { Limits } from "../util/limits.ts";

/**
 * What the server and the process that works as one user say to each other, a line each: the server the settings and
 * then perhaps "stop", the process "ready", "idle" and failures. Calls go over descriptor 3. The end of the process's
 * standard input is the server's end, and so its own.
 */
export interface UserSettings {
  readonly identity: Identity;
  readonly workingDirectory: string;
  readonly confine: string | undefined;
  readonly limits: Limits;
}

/** The server takes no new work: operations are to end. */
export const STOP = "stop";

/** Calls are answered from now on. */
export const READY = "ready";

/** Nothing is under way, and nothing is remembered that somebody could still ask for. Said again and again. */
export const IDLE = "idle";

/** What a caller must not see of a failure, for the server's log; after it an object in JSON. */
export const FAILURE = "failure ";

export interface UserFailure {
  /** What the caller is told. */
  readonly id: string;
  readonly cause: string;
}

/** Calls `onLine` with each line; what is longer than that many characters is passed over. */
export function eachLine(maxLength: number, onLine: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > maxLength) rest = "";
    lines.forEach(onLine);
  };
}
