import type { RemoteWorkspace } from "@yonder/client";
import { connect } from "../connection/connect.ts";
import { ownFailure } from "../frame/exits.ts";
import { describeError, Failure } from "../frame/failure.ts";
import { oneOf } from "../frame/parse.ts";
import { defineVerb, flag, value } from "../frame/verb.ts";
import { writeError } from "../output/write.ts";

const signals = ["TERM", "INT", "HUP", "QUIT", "KILL", "USR1", "USR2", "STOP", "CONT", "WINCH"];

export const verb = defineVerb({
  description: [
    "The signal is SIGTERM, and goes to everything that the command started, unless options say otherwise. A command " +
      "that catches it may run on: then -9 ends it.",
  ],
  arguments: [{ usage: "<id...>", description: "The commands' ids, as `yonder ps` has them", completes: "exec-id" }],
  options: {
    signal: value("-s, --signal <signal>", "The signal, by name or number: INT, SIGUSR1, 9", {
      parse: signalName,
      completes: signals,
    }),
    kill: flag("-9, --kill", "SIGKILL, which no command can catch"),
    target: value("--target <which>", "tree: all that it started; group: its process group; process: itself alone", {
      parse: oneOf(["tree", "group", "process"]),
      completes: ["tree", "group", "process"],
    }),
  },
  examples: [
    ["yonder kill dev", "End a command with all that it started."],
    ["yonder kill -s HUP --target process dev", "Ask one process to read its configuration again."],
  ],
  connects: true,
  async run({ arguments: [ids], options, connection }) {
    const signal = options.kill ? "SIGKILL" : (options.signal ?? "SIGTERM");
    await using workspace = await connect(connection);
    let exitCode = 0;
    for (const id of ids) {
      try {
        await send(workspace, id, signal, options.target ?? "tree");
      } catch (error) {
        await writeError(`yonder: ${describeError(error)}\n`);
        exitCode = ownFailure;
      }
    }
    return exitCode;
  },
});

async function send(workspace: RemoteWorkspace, id: string, signal: string, target: "tree" | "group" | "process") {
  const handle = await workspace.attach(id);
  const reached = await handle.kill(signal, { target });
  if (reached === 0) throw new Failure(`${id} has ended, and nothing that it started is left to get ${signal}`);
}

/** As kill(1) takes it: with or without "SIG", in any case, or a number. */
function signalName(text: string): string {
  const name = text.toUpperCase();
  return /^\d+$/.test(name) || name.startsWith("SIG") ? name : `SIG${name}`;
}
