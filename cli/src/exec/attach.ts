import type { ReadOptions } from "@yonder/client";
import { connect } from "../connection/connect.ts";
import type { ConnectionOptions } from "../frame/verb.ts";
import { followPiped } from "./follow-piped.ts";
import { SignalForwarder } from "./forward-signals.ts";
import { attachTerminal, connectPatiently } from "./start-terminal.ts";

export interface AttachOptions {
  /** Where to begin, if anything says. */
  readonly from: ReadOptions;
  readonly stdin: boolean;
  readonly escape: string | undefined;
}

/** Follows a command that was started before to its end. Resolves to what to exit with. */
export async function attach(
  connection: ConnectionOptions,
  execId: string,
  { from, stdin, escape }: AttachOptions,
): Promise<number> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && stdin;
  const saysWhere = Object.values(from).some((each) => each !== undefined);
  if (isTerminal && !saysWhere) {
    await using connected = await connectPatiently(connection);
    const { terminal } = await (await connected.workspace.attach(execId)).info();
    if (terminal) return await attachTerminal(connected, execId, escape);
  }
  await using workspace = await connect(connection);
  const handle = await workspace.attach(execId);
  const { stdinOpen, end } = await handle.info();
  using signals = new SignalForwarder(execId);
  if (!end) signals.to(handle);
  const input = stdin && stdinOpen && !end ? { skip: 0 } : undefined;
  return await followPiped(handle, { from: saysWhere ? from : { cursor: 0 }, stdin: input });
}
