import { OutputLost } from "../errors.ts";
import type { ExecEvent, ReadOptions, StreamName } from "./events.ts";
import type { RawEvent } from "./from-wire.ts";
import type { OutputReader } from "./handle.ts";
import { LineSplitter } from "./line-splitter.ts";
import { ChunkDecoder, decodeText } from "./text-decoder.ts";

/** Opens a reader of its own at each call. With `inTurn` an event's bytes are good only until the next one is asked for. */
export type OpenReader = (options: ReadOptions, how?: { readonly inTurn: boolean }) => AsyncIterable<RawEvent>;

const inTurn = { inTurn: true };

/** The events with their bytes as text too. */
export async function* decodedEvents(events: AsyncIterable<RawEvent>): AsyncGenerator<ExecEvent> {
  const decoders = { stdout: new ChunkDecoder(), stderr: new ChunkDecoder() };
  const last = { cursor: 0, stdout: 0, stderr: 0 };
  for await (const event of events) {
    if (event.type === "output") {
      last.cursor = event.nextCursor;
      last[event.stream] = event.streamOffset + event.bytes.length;
      yield { ...event, text: decoders[event.stream].push(event.bytes) };
    } else if (event.type === "screen") {
      yield { ...event, text: decodeText(event.bytes) };
    } else {
      if (event.type !== "started") {
        // A character that was never completed: nothing follows it, or not what belongs to it.
        for (const stream of ["stdout", "stderr"] as const) {
          const text = decoders[stream].flush();
          const { cursor } = last;
          const rest = { bytes: new Uint8Array(0), text, cursor, nextCursor: cursor, streamOffset: last[stream] };
          if (text !== "") yield { type: "output", stream, ...rest };
        }
      }
      yield event;
    }
  }
}

/** The lines of one stream, or of both as they are completed. */
export async function* linesOf(
  open: OpenReader,
  { stream, ...options }: ReadOptions & { stream?: StreamName | undefined },
): AsyncGenerator<string> {
  const splitters = { stdout: new LineSplitter(), stderr: new LineSplitter() };
  for await (const event of outputOf(open(options, inTurn), stream)) yield* splitters[event.stream].push(event.bytes);
  yield* splitters.stdout.flush();
  yield* splitters.stderr.flush();
}

/** One stream of a command. */
export class StreamReader implements OutputReader {
  readonly #open: OpenReader;
  readonly #stream: StreamName;

  constructor(open: OpenReader, stream: StreamName) {
    this.#open = open;
    this.#stream = stream;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.bytes()[Symbol.asyncIterator]();
  }

  bytes(options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    return eachTime(() => this.#bytes(options));
  }

  text(options: ReadOptions = {}): AsyncIterable<string> {
    return eachTime(() => this.#text(options));
  }

  lines(options: ReadOptions = {}): AsyncIterable<string> {
    return eachTime(() => linesOf(this.#open, { ...options, stream: this.#stream }));
  }

  async *#bytes(options: ReadOptions): AsyncGenerator<Uint8Array> {
    for await (const { bytes } of outputOf(this.#open(options), this.#stream)) yield bytes;
  }

  async *#text(options: ReadOptions): AsyncGenerator<string> {
    const decoder = new ChunkDecoder();
    for await (const { bytes } of outputOf(this.#open(options, inTurn), this.#stream)) {
      const text = decoder.push(bytes);
      if (text !== "") yield text;
    }
    const rest = decoder.flush();
    if (rest !== "") yield rest;
  }
}

/** An iterable that begins anew with each iteration. */
export function eachTime<T>(begin: () => AsyncGenerator<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: begin };
}

async function* outputOf(events: AsyncIterable<RawEvent>, stream: StreamName | undefined) {
  for await (const event of events) {
    if (event.type === "output" && (stream === undefined || event.stream === stream)) yield event;
    if (event.type === "lost") {
      const { cursor: beginCursor, nextCursor: endCursor } = event;
      throw new OutputLost(
        `the output from ${beginCursor} to ${endCursor} is no longer kept; to go on after it, read with { cursor: ${endCursor} }`,
        { reason: "OUTPUT_LOST", beginCursor, endCursor },
      );
    }
  }
}
