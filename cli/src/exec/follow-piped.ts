import type { ExecHandle, ReadOptions } from "@yonder/client";
import { brokenPipe } from "../frame/exits.ts";
import { describeError, isYonderError } from "../frame/failure.ts";
import { onBrokenPipe, write, writeError } from "../output/write.ts";
import { whatMayRunOn } from "./come-back.ts";
import { exitCodeOf, remarkOn } from "./exit-code.ts";
import { gather } from "./gather.ts";

/** How long the command may take to be told that nobody reads it any more. */
const farewellMs = 5_000;

/** Why standard input has no reader any more: the command closed it or ended, or this program is done with it. */
export const nobodyReads: ReadonlySet<string> = new Set([
  "STDIN_CLOSED",
  "EXEC_ENDED",
  "EXEC_EXPIRED",
  "WORKSPACE_CLOSED",
]);

export interface PipedOptions {
  /** Where to begin to read. */
  readonly from: ReadOptions;
  /** Whether this process's standard input is the command's; and how much of it the command has already. */
  readonly stdin: { readonly skip: number } | undefined;
}

/**
 * Follows a command to its end: what it prints is printed here, byte for byte and each stream apart, at the pace of
 * whoever reads this; what comes in here is its standard input. Resolves to what to exit with.
 */
export async function followPiped(handle: ExecHandle, { from, stdin }: PipedOptions): Promise<number> {
  onBrokenPipe(() => void endWithBrokenPipe(handle), whatMayRunOn(handle.execId));
  if (stdin) void feed(handle, stdin.skip);
  for await (const event of handle.events(from)) {
    if (event.type === "output") {
      await (event.stream === "stderr" ? writeError(event.bytes) : write(event.bytes));
    } else if (event.type === "screen") {
      await write(event.bytes);
    } else if (event.type === "lost") {
      const { stdoutBytes, stderrBytes, nextCursor } = event;
      await writeError(
        `yonder: ${stdoutBytes + stderrBytes} bytes of output before ${nextCursor} are no longer kept\n`,
      );
    } else if (event.type === "ended") {
      const remark = remarkOn(event);
      if (remark !== undefined) await writeError(`yonder: ${remark}\n`);
      return exitCodeOf(event);
    }
  }
  throw new Error("the output ended before the command");
}

async function feed({ stdin }: ExecHandle, skip: number): Promise<void> {
  try {
    let toSkip = skip;
    for await (const chunk of gather(process.stdin)) {
      const rest = chunk.subarray(toSkip);
      toSkip -= chunk.length - rest.length;
      if (rest.length > 0) await stdin.write(rest);
    }
    await stdin.end();
  } catch (error) {
    // A command that reads no further is no failure: many read only what they need.
    if (isYonderError(error) && nobodyReads.has(error.reason)) return;
    await writeError(`yonder: standard input does not reach the command any more: ${describeError(error)}\n`);
  }
}

/** What the command prints has no reader: it is told so as it would be here, and this process ends likewise. */
async function endWithBrokenPipe(handle: ExecHandle): Promise<void> {
  setTimeout(() => process.exit(brokenPipe), farewellMs);
  await handle.kill("SIGPIPE").catch(() => {});
  process.exit(brokenPipe);
}
