import type { ExecHandle, StreamName } from "@yonder/client";
import { Failure } from "../frame/failure.ts";
import { write, writeError } from "../output/write.ts";

/** The last lines are looked for in so many bytes at first, then in twice as many, and so on. */
const firstWindowBytes = 64 << 10;
/** In no more than so many: they are held in memory meanwhile. */
const mostWindowBytes = 64 << 20;
const newline = 10;

/** So many lines, or bytes. */
export type Extent = { readonly lines: number } | { readonly bytes: number };

export interface LogOptions {
  readonly head: Extent | undefined;
  readonly tail: Extent | undefined;
  /** Undefined: both. */
  readonly stream: StreamName | undefined;
  readonly follow: boolean;
}

/** Prints what a command has printed, a part of it, or what it prints from now on as well. */
export async function printLogs(handle: ExecHandle, { head, tail, stream, follow }: LogOptions): Promise<void> {
  const { beginCursor, endCursor, end } = await handle.info();
  let cursor = beginCursor;
  if (tail) {
    const { bytes, nextCursor } = await tailOf(handle, tail, stream, endCursor - beginCursor);
    cursor = nextCursor;
    if (stream === "stdout") await write(bytes);
    else if (stream === "stderr") await writeError(bytes);
    // Read once more, with what tells the streams apart.
    else cursor -= bytes.length;
  } else if (beginCursor > 0) {
    await writeError(`yonder: the first ${beginCursor} bytes are no longer kept\n`);
  }
  const isOver = () => cursor >= endCursor && (!follow || end !== undefined);
  const limit = new Limit(head);
  if (isOver() || limit.isReached) return;
  for await (const event of handle.events({ cursor })) {
    if (event.type === "lost") {
      await writeError(`yonder: the bytes from ${event.cursor} to ${event.nextCursor} are no longer kept\n`);
      cursor = event.nextCursor;
    } else if (event.type === "output") {
      const newest = follow ? Infinity : endCursor - event.cursor;
      const bytes = event.bytes.subarray(0, Math.max(0, newest));
      if (stream === undefined || stream === event.stream) {
        const taken = limit.take(bytes);
        await (event.stream === "stderr" ? writeError(taken) : write(taken));
      }
      cursor = event.nextCursor;
    }
    if (event.type !== "started" && (isOver() || limit.isReached)) return;
  }
}

/** Lets so many lines or bytes through. */
class Limit {
  #lines = Infinity;
  #bytes = Infinity;

  constructor(extent: Extent | undefined) {
    if (!extent) return;
    if ("lines" in extent) this.#lines = extent.lines;
    else this.#bytes = extent.bytes;
  }

  get isReached(): boolean {
    return this.#lines <= 0 || this.#bytes <= 0;
  }

  take(bytes: Uint8Array): Uint8Array {
    if (this.#lines === Infinity) {
      const taken = bytes.subarray(0, this.#bytes);
      this.#bytes -= taken.length;
      return taken;
    }
    let end = 0;
    while (this.#lines > 0 && end < bytes.length) {
      const at = bytes.indexOf(newline, end);
      if (at < 0) return bytes;
      end = at + 1;
      this.#lines -= 1;
    }
    return bytes.subarray(0, end);
  }
}

/** The last bytes or lines there are now, and the cursor after them. */
async function tailOf(
  handle: ExecHandle,
  tail: Extent,
  stream: StreamName | undefined,
  kept: number,
): Promise<{ readonly bytes: Uint8Array; readonly nextCursor: number }> {
  if ("bytes" in tail) return await handle.output({ tail: tail.bytes, stream });
  for (let window = firstWindowBytes; ; window *= 2) {
    const { bytes, nextCursor } = await handle.output({ tail: window, stream });
    const begin = beginOfLines(bytes, tail.lines);
    if (begin !== undefined) return { bytes: bytes.subarray(begin), nextCursor };
    if (window >= kept) return { bytes, nextCursor };
    if (window >= mostWindowBytes) {
      throw new Failure(`${tail.lines} lines are more than ${mostWindowBytes} bytes here: give --tail a size instead`);
    }
  }
}

/** Where the last so many lines begin. Undefined: there are not so many. */
function beginOfLines(bytes: Uint8Array, lines: number): number | undefined {
  if (lines === 0) return bytes.length;
  // A newline at the very end ends the last line.
  let at = bytes.at(-1) === newline ? bytes.length - 1 : bytes.length;
  for (let left = lines; left > 0; left--) {
    at = at === 0 ? -1 : bytes.lastIndexOf(newline, at - 1);
    if (at < 0) return undefined;
  }
  return at + 1;
}
