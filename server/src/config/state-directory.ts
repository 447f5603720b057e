import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { makeDirectories } from "@yonder/transfer";
import type { ListenTarget } from "../http/listener.ts";

/**
 * Where a server that was told nothing keeps its state: a directory of the user's that goes with the address, so that the
 * next server at this address finds it. Undefined where there is no fixed address, or no place that can be written:
 * then the state is temporary.
 */
export async function defaultStateDirectory(
  target: ListenTarget,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const name = nameOf(target);
  if (name === undefined) return undefined;
  try {
    const directory = join(stateHome(environment), "yonder", name);
    await makeDirectories(directory, 0o700);
    await access(directory, constants.W_OK);
    return directory;
  } catch {
    // No home (a user without a passwd entry), or a read-only root.
    return undefined;
  }
}

function nameOf(target: ListenTarget): string | undefined {
  if ("socket" in target) {
    return `socket-${createHash("sha256").update(target.socket).digest("hex").slice(0, 16)}`;
  }
  return target.port === 0 ? undefined : `${target.host.replaceAll(/[^A-Za-z0-9.-]/g, "_")}-${target.port}`;
}

function stateHome({ XDG_STATE_HOME: configured }: NodeJS.ProcessEnv): string {
  // The specification has relative ones ignored.
  return configured !== undefined && isAbsolute(configured) ? configured : join(homedir(), ".local", "state");
}
