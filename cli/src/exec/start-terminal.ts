import type { Command, ConnectionChange, ExecHandle, ReadOptions, RemoteWorkspace, SpawnOptions } from "@yonder/client";
import { connect } from "../connection/connect.ts";
import { Failure, isYonderError } from "../frame/failure.ts";
import type { ConnectionOptions } from "../frame/verb.ts";
import { describeEnd } from "./describe-end.ts";
import { TerminalSession } from "./follow-terminal.ts";
import { spawn } from "./start.ts";

/** Who sits before a terminal decides how long to wait for a connection: as long as can be had, a day. */
const patientRetry = { maxElapsedMs: 24 * 60 * 60_000, maxDelayMs: 2_000 };

/** Runs a command in a terminal of the workspace, shown on this one. */
export async function startTerminal(
  connection: ConnectionOptions,
  command: Command,
  options: SpawnOptions,
  escape: string | undefined,
): Promise<number> {
  await using connected = await connectPatiently(connection);
  const { workspace, watch } = connected;
  const { columns, rows } = process.stdout;
  const size = process.stdout.isTTY && columns > 0 && rows > 0 ? { columns, rows } : {};
  const handle = await spawn(workspace, command, { ...options, terminal: { ...size, type: process.env["TERM"] } });
  return await showTerminal(handle, { cursor: 0 }, escape, watch);
}

/** Opens a shell on this terminal. One that runs already under the id that was asked for is shown as it stands. */
export async function openShell(
  connection: ConnectionOptions,
  command: string,
  options: SpawnOptions,
  escape: string | undefined,
): Promise<number> {
  if (options.execId !== undefined) {
    await using connected = await connectPatiently(connection);
    const [known] = (await connected.workspace.execs()).filter(({ execId }) => execId === options.execId);
    if (known?.end) throw new Failure(`${known.execId} has ended (${describeEnd(known.end)}): take another id`);
    if (known) return await attachTerminal(connected, known.execId, escape);
  }
  return await startTerminal(connection, command, options, escape);
}

/** Shows a terminal that was started before, in the size of this one. */
export async function attachTerminal(
  { workspace, watch }: PatientConnection,
  execId: string,
  escape: string | undefined,
): Promise<number> {
  const handle = await workspace.attach(execId);
  // Before the screen is painted, so that it is painted in this size.
  const { columns, rows } = process.stdout;
  await handle.resize(columns, rows, { takeOwnership: true }).catch((error: unknown) => {
    if (!isYonderError(error) || error.reason !== "EXEC_ENDED") throw error;
  });
  return await showTerminal(handle, { screen: true }, escape, watch);
}

/** Shows a terminal of the workspace on this one, until its command ends or is left. */
async function showTerminal(
  handle: ExecHandle,
  from: ReadOptions,
  escape: string | undefined,
  watch: Watch,
): Promise<number> {
  // What comes from no keyboard is passed on as it is.
  const session = new TerminalSession(handle, { from, escape: process.stdin.isTTY ? escape : undefined });
  watch((change) => session.onConnectionChange(change));
  return await session.run();
}

/** Sets who is told what becomes of the connection. */
type Watch = (listener: (change: ConnectionChange) => void) => void;

/** A connection for somebody who sits before it. */
export interface PatientConnection extends AsyncDisposable {
  readonly workspace: RemoteWorkspace;
  readonly watch: Watch;
}

export async function connectPatiently(connection: ConnectionOptions): Promise<PatientConnection> {
  let listener: (change: ConnectionChange) => void = () => {};
  const workspace = await connect(connection, {
    retry: patientRetry,
    onConnectionChange: (change) => listener(change),
  });
  return {
    workspace,
    watch: (next) => (listener = next),
    [Symbol.asyncDispose]: async () => await workspace.close(),
  };
}
