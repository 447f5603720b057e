#!/usr/bin/env node
import { ownVersion } from "./frame/own-version.ts";
import { createProgram } from "./frame/program.ts";
import { describeError, Failure } from "./frame/failure.ts";
import { ownFailure, usageFailure } from "./frame/exits.ts";
import { watchOutput, flushed } from "./output/write.ts";

watchOutput();
process.on("uncaughtException", (error) => process.exit(tell(error)));
let exitCode = 0;
const program = createProgram(ownVersion(), (code) => (exitCode = code));
try {
  await program.parseAsync(helpFirst(process.argv.slice(2)), { from: "user" });
} catch (error) {
  exitCode = tell(error);
}
await flushed();
// What still reads standard input, or waits for a server, keeps nobody waiting.
process.exit(exitCode);

/** Says in a line what went wrong. Answers what to exit with. */
function tell(error: unknown): number {
  const exitCode = error instanceof Failure ? error.exitCode : ownFailure;
  const help = exitCode === usageFailure ? " (see `yonder --help`)" : "";
  process.stderr.write(`yonder: ${describeError(error)}${help}\n`);
  if (process.env["YONDER_DEBUG"] && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exitCode;
}

/** `yonder help exec` is `yonder exec --help`. */
function helpFirst(args: readonly string[]): readonly string[] {
  return args[0] === "help" ? [...args.slice(1), "--help"] : args;
}
