import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ExecService, OutputStream } from "@yonder/proto";
import type { LineFilterSchema, ReadOutputRequestSchema, ReadOutputResponse } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import type { StreamName } from "./events.ts";
import { toExecEnd, toStreamName } from "./from-wire.ts";
import type { ExecEnd } from "./results.ts";
import { decodeText } from "./text-decoder.ts";
import { integer } from "./to-wire.ts";

/** Which part of a command's output to read. At most one of `cursor`, `head` and `tail` may be set. */
export interface OutputOptions {
  /** From this cursor on. Default: from the oldest byte still kept. */
  cursor?: number | undefined;
  /** The first so many bytes. */
  head?: number | undefined;
  /** The last so many bytes. */
  tail?: number | undefined;
  /** Only this stream. Default: both, as they were printed. */
  stream?: StreamName | undefined;
  /** Only the lines that hold this text, to the letter; or that match this pattern, in RE2 syntax (a RegExp's source). */
  grep?: string | RegExp | undefined;
  /** With `grep`: upper and lower case are the same. Default: a RegExp's `i`, or false. */
  ignoreCase?: boolean | undefined;
  /** With `grep`: the lines that do not match. Default false. */
  invert?: boolean | undefined;
  /** With `grep`: how many lines at most, 1 to 10,000. Default: as many as fit into one reply. */
  maxLines?: number | undefined;
  /** How many bytes at most. Default 2 MiB, or what `head` or `tail` says. */
  maxBytes?: number | undefined;
  /** How long to wait, in milliseconds, for a byte past the cursor, or the end. Default 0. The server bounds it. */
  waitMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A part of a command's output. */
export interface OutputPart {
  /** The bytes, and their text. Empty with `grep`. */
  readonly bytes: Uint8Array;
  readonly text: string;
  /** The lines that match `grep`. Empty without it. A line over 64 KiB comes in pieces. */
  readonly lines: readonly OutputLine[];
  /** Bytes that were asked for and are no longer kept. Undefined: none. */
  readonly lost: { readonly cursor: number; readonly nextCursor: number } | undefined;
  /** The cursor to go on from. */
  readonly nextCursor: number;
  /** The cursor past the newest byte there was. */
  readonly endCursor: number;
  /** Whether there was more to read from `nextCursor`. */
  readonly truncated: boolean;
  /** How it ended. Undefined where it runs, or there is more to read. */
  readonly end: ExecEnd | undefined;
}

export interface OutputLine {
  readonly text: string;
  readonly stream: StreamName;
  /** The cursor of its first byte. */
  readonly cursor: number;
  /** Whether the line goes on in the next piece. */
  readonly partial: boolean;
}

const defaultMaxBytes = 2 << 20;

/** Reads a part of the output, in as many calls as its size takes. */
export async function readOutput(connection: Connection, execId: string, options: OutputOptions): Promise<OutputPart> {
  const wanted = integer("maxBytes", options.maxBytes) || (options.head ?? options.tail ?? defaultMaxBytes);
  const lineFilter = toLineFilter(options);
  const chunks: Uint8Array[] = [];
  const lines: OutputLine[] = [];
  let lost: OutputPart["lost"];
  let bytesRead = 0;
  let start: ReadStart = toStart(options);
  for (;;) {
    const reply: ReadOutputResponse = await connection.call(
      ExecService.method.readOutput,
      {
        execId,
        start,
        maxBytes: Math.min(Math.max(1, wanted - bytesRead), 0x7fffffff),
        stream: options.stream ? OutputStream[options.stream === "stderr" ? "STDERR" : "STDOUT"] : 0,
        ...(lineFilter && { lineFilter }),
        ...(options.waitMs && { wait: durationFromMs(integer("waitMs", Math.ceil(options.waitMs))) }),
      },
      {
        signal: options.signal,
        subject: { execId, mayHaveRun: true },
        timeoutMs: connection.callMs + (options.waitMs ?? 0),
      },
    );
    for (const { data } of reply.output) {
      chunks.push(data);
      bytesRead += data.length;
    }
    for (const { data, stream, cursor, partial } of reply.lines) {
      lines.push({ text: decodeText(data), stream: toStreamName(stream), cursor: Number(cursor), partial });
    }
    if (reply.lost) {
      const [begin, end] = [Number(reply.lost.beginCursor), Number(reply.lost.endCursor)];
      lost = { cursor: lost?.cursor ?? begin, nextCursor: end };
    }
    if (!reply.truncated || bytesRead >= wanted || lineFilter) {
      const bytes = chunks.length === 1 && chunks[0] ? chunks[0] : new Uint8Array(Buffer.concat(chunks));
      return {
        bytes,
        text: decodeText(bytes),
        lines,
        lost,
        nextCursor: Number(reply.nextCursor),
        endCursor: Number(reply.endCursor),
        truncated: reply.truncated,
        end: reply.ended && toExecEnd(reply.ended, connection.peer?.platform ?? ""),
      };
    }
    start = { case: "cursor", value: reply.nextCursor };
  }
}

type ReadStart = NonNullable<MessageInitShape<typeof ReadOutputRequestSchema>["start"]>;

function toStart({ cursor, head, tail }: OutputOptions): ReadStart {
  if (tail !== undefined) return { case: "tailBytes", value: BigInt(integer("tail", tail)) };
  if (cursor !== undefined) return { case: "cursor", value: BigInt(integer("cursor", cursor)) };
  return head === undefined ? { case: undefined } : { case: "cursor", value: 0n };
}

function toLineFilter(options: OutputOptions): MessageInitShape<typeof LineFilterSchema> | undefined {
  const { grep } = options;
  if (grep === undefined) return undefined;
  return {
    expression: typeof grep === "string" ? { case: "literal", value: grep } : { case: "regex", value: grep.source },
    ignoreCase: options.ignoreCase ?? (typeof grep !== "string" && grep.ignoreCase),
    invert: options.invert ?? false,
    maxLines: integer("maxLines", options.maxLines),
  };
}
