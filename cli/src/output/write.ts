import { once } from "node:events";
import { brokenPipe, ownFailure } from "../frame/exits.ts";

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
  if (!stream.write(data)) await once(stream, "drain");
}

/** A JSON object a line: the one shape of every list with `--json`. */
export async function writeJsonLine(object: unknown): Promise<void> {
  await write(`${JSON.stringify(object)}\n`);
}

/** Ends this process, as SIGPIPE ends others, once nobody reads what it prints. */
export function endOnBrokenPipe(): void {
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") process.exit(brokenPipe);
    process.stderr.write(`yonder: cannot write to standard output: ${message}\n`);
    process.exit(ownFailure);
  });
  // There is nobody left to tell.
  process.stderr.on("error", () => {});
}

/** Resolves when all that was written has left this process. */
export async function flushed(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(async (stream) => {
      if (stream.writableLength > 0) await new Promise((resolve) => stream.write("", resolve));
    }),
  );
}
