import { closeSync, constants, openSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";

/** Linux's O_PATH, which Node has no name for: the file itself, whatever it is, to be opened for nothing. */
const justTheFile = 0o10000000;
/** How long a way that was found closed is left alone. */
const restMs = 1_000;

/**
 * A server's UNIX socket on this machine beside its address: no port, no bridge and no packets on the way. It is there or
 * not, from one moment to the next, and never the only way.
 */
export class Shortcut {
  readonly #find: () => readonly string[] | undefined;
  #closedUntil = -Infinity;

  /** @param find answers where it is now, if anywhere: a directory that is trusted, and the names below it */
  constructor(find: () => readonly string[] | undefined) {
    this.#find = find;
  }

  /** A socket on its way there. Undefined: the address is to be taken. */
  open(): Socket | undefined {
    const steps = this.#find();
    if (steps === undefined || process.platform !== "linux" || performance.now() < this.#closedUntil) return undefined;
    const file = openBelow(steps);
    if (file === undefined) return undefined;
    try {
      // That also makes every path short enough for a socket's address. The kernel is asked before this returns.
      const socket = connect(`/proc/self/fd/${file}`);
      const rest = (): void => void (this.#closedUntil = performance.now() + restMs);
      socket.once("error", rest).once("connect", () => socket.off("error", rest));
      return socket;
    } finally {
      closeSync(file);
    }
  }
}

/**
 * Opens what the steps lead to. No link is followed on the way: below the first step it is others who make them. Undefined:
 * it is not there, or nothing that this user may see.
 */
function openBelow([root = "", ...names]: readonly string[]): number | undefined {
  let at: number | undefined;
  try {
    at = openSync(root, justTheFile | constants.O_DIRECTORY);
    for (const name of names) {
      const next = openSync(`/proc/self/fd/${at}/${name}`, justTheFile | constants.O_NOFOLLOW);
      closeSync(at);
      at = next;
    }
    return at;
  } catch {
    if (at !== undefined) closeSync(at);
    return undefined;
  }
}
