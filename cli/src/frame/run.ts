import { CommanderError } from "commander";
import { flushed, watchOutput } from "../output/write.ts";
import { describeError, exitCodeOfError } from "./failure.ts";
import { usageFailure } from "./exits.ts";
import { ownVersion } from "./own-version.ts";
import { createProgram } from "./program.ts";

/** Does what a command line asks for, and ends the process. */
export async function run(args: readonly string[]): Promise<never> {
  watchOutput();
  process.on("uncaughtException", (error) => process.exit(tell(error)));
  let exitCode = 0;
  const program = createProgram(ownVersion(), (code) => (exitCode = code));
  try {
    await program.parseAsync(helpFirst(args), { from: "user" });
  } catch (error) {
    // What Commander throws it has told already, or it was help.
    exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : usageFailure) : tell(error);
  }
  await flushed();
  // What still reads standard input, or waits for a server, keeps nobody waiting.
  process.exit(exitCode);
}

/** Says in a line what went wrong. Answers what to exit with. */
function tell(error: unknown): number {
  process.stderr.write(`yonder: ${describeError(error)}\n`);
  if (process.env["YONDER_DEBUG"] && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exitCodeOfError(error);
}

/** `yonder help exec` is `yonder exec --help`. */
function helpFirst(args: readonly string[]): readonly string[] {
  return args[0] === "help" ? [...args.slice(1), "--help"] : args;
}
