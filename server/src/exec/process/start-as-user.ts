import { spawn, type ChildProcess } from "node:child_process";
import { userEnvironment } from "./environment.ts";
import { covered, type Machine } from "./launch.ts";
import { userSwitch } from "./user-switch.ts";
import type { Identity } from "./user.ts";

/** A part of the server that works as somebody else; no command, and nothing of one's bookkeeping. */
export interface UserProgram {
  readonly identity: Identity;
  readonly program: string;
  readonly args: readonly string[];
  /** Entered with the server's rights: the user need not be able to reach it. */
  readonly directory: string;
}

/**
 * Starts it as that user, in a session of its own, with four sockets: the standard streams, and one as descriptor 3.
 * Nothing else that the server has open reaches it.
 */
export async function startAsUser(
  machine: Pick<Machine, "environment" | "terminals" | "inherited" | "nothing">,
  { identity, program, args, directory }: UserProgram,
): Promise<ChildProcess> {
  const { prefix, ids } = await userSwitch(identity);
  const [switching, ...switched] = prefix;
  return spawn(switching ?? program, switching === undefined ? [...args] : [...switched, program, ...args], {
    ...ids,
    cwd: directory,
    env: userEnvironment(machine.environment, identity),
    detached: true,
    stdio: covered(["pipe", "pipe", "pipe", "pipe"], machine),
  });
}
