import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";

/** Linux's O_PATH, which Node has no name for: the file itself, whatever it is, to be opened for nothing. */
const justTheFile = 0o10000000;
/** How long a way that was found closed is left alone. */
const restMs = 1_000;

/** Where a socket is. */
export interface SocketPlace {
  /** A directory that is trusted. */
  readonly root: string;
  /** The names that lead from there to the socket. */
  readonly names: readonly string[];
  /** A file of the server's user: a socket of anybody else is not the server's. */
  readonly ownFile: string;
}

/**
 * A server's UNIX socket on this machine beside its address: no port, no bridge and no packets on the way. It is there or
 * not, from one moment to the next, and never the only way.
 */
export class Shortcut {
  readonly #find: () => SocketPlace | undefined;
  #closedUntil = -Infinity;

  /** @param find answers where it is now, if anywhere */
  constructor(find: () => SocketPlace | undefined) {
    this.#find = find;
  }

  /** A socket on its way there. Undefined: the address is to be taken. */
  open(): Socket | undefined {
    const place = this.#find();
    if (place === undefined || process.platform !== "linux" || performance.now() < this.#closedUntil) return undefined;
    const file = openSocket(place);
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
 * Opens the socket itself. No link is followed on the way: below the root it is others who make them. Undefined: it is not
 * there, it is not the server's, or this user may not see it.
 */
function openSocket({ root, names, ownFile }: SocketPlace): number | undefined {
  let at: number | undefined;
  try {
    at = openSync(root, justTheFile | constants.O_DIRECTORY);
    for (const name of names) {
      const next = openSync(`/proc/self/fd/${at}/${name}`, justTheFile | constants.O_NOFOLLOW);
      closeSync(at);
      at = next;
    }
    // Who may write where it lies could have put another in its place, to which calls would bring their key.
    if (fstatSync(at).uid === statSync(ownFile).uid) return at;
  } catch {
    // Then the address it is.
  }
  if (at !== undefined) closeSync(at);
  return undefined;
}
