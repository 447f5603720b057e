import type { ExecHandle, OutputLine, StreamName } from "@yonder/client";
import { write, writeError } from "../output/write.ts";

/** How long one call waits for more. */
const waitMs = 20_000;
const newline = Buffer.from("\n");

export interface MatchOptions {
  readonly pattern: string | RegExp;
  /** Only so many of the first, or of the last, lines that match. */
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly stream: StreamName | undefined;
  readonly follow: boolean;
  readonly ignoreCase: boolean;
  readonly invert: boolean;
}

/** Prints the lines that match of what a command has printed, and with `follow` of what it prints from now on. */
export async function printMatches(handle: ExecHandle, options: MatchOptions): Promise<void> {
  const { pattern: grep, stream, follow, ignoreCase, invert } = options;
  let { first = Infinity } = options;
  /** The last ones so far, while there is more to be read of what was printed by now. */
  let kept: OutputLine[] | undefined = options.last === undefined ? undefined : [];
  let cursor: number | undefined;
  while (first > 0) {
    const isFollowing = follow && cursor !== undefined && kept === undefined;
    const part = await handle.output({ cursor, grep, stream, ignoreCase, invert, waitMs: isFollowing ? waitMs : 0 });
    if (part.lost) {
      await writeError(`yonder: the bytes from ${part.lost.cursor} to ${part.lost.nextCursor} are no longer kept\n`);
    }
    const isStuck = part.nextCursor === cursor && part.lines.length === 0;
    cursor = part.nextCursor;
    if (kept) kept.push(...part.lines);
    else for (const line of part.lines.slice(0, first)) await print(line);
    first -= part.lines.length;
    if (kept && options.last !== undefined) kept = options.last === 0 ? [] : kept.slice(-options.last);
    if (part.truncated && !isStuck) continue;
    for (const line of kept ?? []) await print(line);
    kept = undefined;
    if (!follow || part.end) return;
  }
}

async function print({ bytes, stream, partial }: OutputLine): Promise<void> {
  const line = partial ? bytes : Buffer.concat([bytes, newline]);
  await (stream === "stderr" ? writeError(line) : write(line));
}
