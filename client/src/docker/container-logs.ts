import type { Readable } from "node:stream";
import { LineSplitter } from "../exec/line-splitter.ts";
import type { Engine } from "./engine.ts";

const lastLines = 20;
/** Of one line that is put into an error, in characters. */
const longestLine = 500;

/** The last lines that the container printed, for people. Empty where they cannot be had. */
export async function lastLogLines(engine: Engine, container: string): Promise<string[]> {
  try {
    const lines: string[] = [];
    for await (const line of readLogs(engine, container, { tail: lastLines, follow: false }))
      lines.push(line.slice(0, longestLine));
    return lines;
  } catch {
    return [];
  }
}

export interface LogOptions {
  /** Only this many of the newest lines. Default: all that the engine has. */
  readonly tail?: number | undefined;
  /** Whether to go on with what is printed from then on. */
  readonly follow: boolean;
  readonly signal?: AbortSignal;
}

/** What a container prints, both of its streams, a line at a time. */
export async function* readLogs(engine: Engine, container: string, options: LogOptions): AsyncGenerator<string> {
  const query = { stdout: true, stderr: true, follow: options.follow, tail: options.tail };
  const answer = await engine.stream("GET", `/containers/${container}/logs`, { query, signal: options.signal });
  try {
    yield* linesOf(framesOf(answer));
  } finally {
    answer.destroy();
  }
}

/** Of a container without a terminal, the engine sends frames: eight bytes of which the last four are the length. */
async function* framesOf(answer: Readable): AsyncGenerator<{ readonly stream: number; readonly data: Buffer }> {
  let rest = Buffer.alloc(0);
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 8) break;
      const end = 8 + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { stream: rest[0] ?? 1, data: rest.subarray(8, end) };
      rest = rest.subarray(end);
    }
  }
}

async function* linesOf(
  frames: AsyncIterable<{ readonly stream: number; readonly data: Buffer }>,
): AsyncGenerator<string> {
  const streams = new Map<number, LineSplitter>();
  for await (const { stream, data } of frames) {
    const splitter = streams.get(stream) ?? new LineSplitter();
    streams.set(stream, splitter);
    yield* splitter.push(data);
  }
  for (const splitter of streams.values()) yield* splitter.flush();
}
