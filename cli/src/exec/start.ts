import type { Command, RemoteWorkspace, SpawnOptions } from "@yonder/client";
import { connect } from "../connection/connect.ts";
import { Failure, isYonderError } from "../frame/failure.ts";
import type { ConnectionOptions } from "../frame/verb.ts";
import { write } from "../output/write.ts";
import { followPiped } from "./follow-piped.ts";
import { SignalForwarder } from "./forward-signals.ts";

/** Starts a command, leaves it running and prints its id. */
export async function startDetached(
  connection: ConnectionOptions,
  command: Command,
  options: SpawnOptions,
  tty: boolean,
): Promise<number> {
  await using workspace = await connect(connection);
  const { execId } = await spawn(workspace, command, { ...options, stdin: false, ...(tty && { terminal: {} }) });
  await write(`${execId}\n`);
  return 0;
}

/** Runs a command to its end, with this process's streams as its own. */
export async function startPiped(
  connection: ConnectionOptions,
  command: Command,
  options: SpawnOptions & { execId?: string | undefined },
  { stdin, mayJoin }: { stdin: boolean; mayJoin: boolean },
): Promise<number> {
  await using workspace = await connect(connection);
  using signals = new SignalForwarder(options.execId ?? "");
  const handle = await spawn(workspace, command, { ...options, stdin });
  signals.to(handle);
  // What a command that was joined has read already came from the same input, begun anew.
  const skip = stdin && mayJoin ? (await handle.info()).stdinOffset : 0;
  return await followPiped(handle, { from: { cursor: 0 }, stdin: stdin ? { skip } : undefined });
}

/** The workspace's, which says where a shell was meant. */
export async function spawn(workspace: RemoteWorkspace, command: Command, options: SpawnOptions) {
  try {
    return await workspace.spawn(command, options);
  } catch (error) {
    const [word, ...others] = typeof command === "string" ? [] : command;
    const isForShell = word !== undefined && others.length === 0 && /[\s|&;<>$]/.test(word);
    if (!isForShell || !isYonderError(error) || error.reason !== "PROGRAM_NOT_FOUND") throw error;
    throw new Failure(`there is no program "${word}"; to have a shell read it, put -c before it`, { cause: error });
  }
}
