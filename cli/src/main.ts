#!/usr/bin/env node
import { ownVersion } from "./frame/own-version.ts";
import { createProgram } from "./frame/program.ts";
import { describeError, Failure } from "./frame/failure.ts";
import { ownFailure, usageFailure } from "./frame/exits.ts";
import { watchOutput, flushed } from "./output/write.ts";

watchOutput();
let exitCode = 0;
const program = createProgram(ownVersion(), (code) => (exitCode = code));
try {
  await program.parseAsync(helpFirst(process.argv.slice(2)), { from: "user" });
} catch (error) {
  exitCode = error instanceof Failure ? error.exitCode : ownFailure;
  const help = exitCode === usageFailure ? " (see `yonder --help`)" : "";
  process.stderr.write(`yonder: ${describeError(error)}${help}\n`);
  if (process.env["YONDER_DEBUG"]) process.stderr.write(`${error instanceof Error ? error.stack : ""}\n`);
}
await flushed();
// What still reads standard input, or waits for a server, keeps nobody waiting.
process.exit(exitCode);

/** `yonder help exec` is `yonder exec --help`. */
function helpFirst(args: readonly string[]): readonly string[] {
  return args[0] === "help" ? [...args.slice(1), "--help"] : args;
}
