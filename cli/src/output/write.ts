import { brokenPipe, ownFailure } from "../frame/exits.ts";
import { describeError } from "../frame/failure.ts";

/**
 * Writes to standard output and resolves once there is room for more: whoever prints no faster than this holds nothing
 * in memory, however slow the reader is.
 */
export async function write(data: string | Uint8Array): Promise<void> {
  await writeTo(process.stdout, data);
}

/** The same to standard error. */
export async function writeError(data: string | Uint8Array): Promise<void> {
  await writeTo(process.stderr, data);
}

async function writeTo(stream: NodeJS.WriteStream, data: string | Uint8Array): Promise<void> {
  // Of a stream that is broken `watchOutput` says what is done; nothing more is written, and nobody goes on.
  if (!stream.write(data)) await new Promise<void>((resolve) => stream.once("drain", resolve));
}

/** A JSON object a line: the one shape of every list with `--json`. */
export async function writeJsonLine(object: unknown): Promise<void> {
  await write(`${JSON.stringify(object)}\n`);
}

let whenBroken: () => void = () => process.exit(brokenPipe);
let wayOut = "";

/**
 * From now on, does this once nobody reads standard output or error any more, instead of ending as SIGPIPE ends others.
 * The way out is told where standard output cannot be written to for another reason.
 */
export function onBrokenPipe(action: () => void, otherwise: string): void {
  whenBroken = action;
  wayOut = `; ${otherwise}`;
}

/** Says what is done when standard output or error cannot be written to. */
export function watchOutput(): void {
  let isBroken = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (isBroken) return;
      isBroken = true;
      if (error.code === "EPIPE") return whenBroken();
      if (stream === process.stdout) {
        process.stderr.write(`yonder: cannot write to standard output: ${describeError(error)}${wayOut}\n`);
      }
      process.exit(ownFailure);
    });
  }
}

/** Resolves when all that was written has left this process. */
export async function flushed(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(async (stream) => {
      // Not only where something waits: what a file refused is told after this turn.
      await new Promise((resolve) => stream.write("", resolve));
    }),
  );
}
