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
  /** With `grep`: how many lines at most, 1 to 10,000. Default: as many as fit into `maxBytes`. */
  maxLines?: number | undefined;
  /** How many bytes at most; with `grep`, of the lines that match. Default 2 MiB, or what `head` or `tail` says. */
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
  /** The line without its end, as printed, and as text. */
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly stream: StreamName;
  /** The cursor of its first byte. */
  readonly cursor: number;
  /** Whether the line goes on in the next piece. */
  readonly partial: boolean;
}

const defaultMaxBytes = 2 << 20;

/**
 * Reads a part of the output, in as many calls as its size takes, up to what had been printed at the first of them: a
 * command that prints faster than it is read does not keep this going for ever.
 */
export async function readOutput(connection: Connection, execId: string, options: OutputOptions): Promise<OutputPart> {
  const part = new PartBuilder(options);
  for (;;) {
    const reply = await readPage(connection, execId, options, part);
    part.add(reply);
    if (part.isComplete(reply)) return part.finish(reply, connection.peer?.platform ?? "");
  }
}

function readPage(
  connection: Connection,
  execId: string,
  options: OutputOptions,
  part: PartBuilder,
): Promise<ReadOutputResponse> {
  const { stream, signal } = options;
  const waitMs = part.isEmpty ? Math.ceil(options.waitMs ?? 0) : 0;
  const lineFilter = toLineFilter(options, part.lines.length);
  const request = {
    execId,
    start: part.start,
    maxBytes: Math.min(part.bytesLeft, 0x7fffffff),
    stream: stream === undefined ? OutputStream.UNSPECIFIED : OutputStream[stream === "stderr" ? "STDERR" : "STDOUT"],
    ...(lineFilter && { lineFilter }),
    ...(waitMs > 0 && { wait: durationFromMs(integer("waitMs", waitMs)) }),
  };
  const subject = { execId, mayHaveRun: true };
  const timeoutMs = connection.callMs + waitMs;
  return connection.call(ExecService.method.readOutput, request, { signal, subject, timeoutMs });
}

/** Puts the replies together. */
class PartBuilder {
  readonly lines: OutputLine[] = [];
  start: ReadStart;
  isEmpty = true;
  bytesLeft: number;
  readonly #options: OutputOptions;
  readonly #chunks: Uint8Array[] = [];
  /** Past it nothing is read: where `head` ends, or what was the newest byte at first. */
  #endCursor: number;
  #lost: OutputPart["lost"];

  constructor(options: OutputOptions) {
    const { head, tail, maxBytes } = options;
    this.#options = options;
    this.#endCursor = head === undefined ? Infinity : integer("head", head);
    this.bytesLeft = integer("maxBytes", maxBytes) || (options.grep === undefined && (head ?? tail)) || defaultMaxBytes;
    this.start = toStart(options);
  }

  add(reply: ReadOutputResponse): void {
    if (this.isEmpty) this.#endCursor = Math.min(this.#endCursor, Number(reply.endCursor));
    this.isEmpty = false;
    for (const { data } of reply.output) {
      this.#chunks.push(data);
      this.bytesLeft -= data.length;
    }
    for (const line of reply.lines) {
      const cursor = Number(line.cursor);
      this.bytesLeft -= line.data.length;
      if (cursor >= this.#endCursor) continue;
      const { stream, partial } = line;
      this.lines.push({ bytes: line.data, text: decodeText(line.data), stream: toStreamName(stream), cursor, partial });
    }
    if (reply.lost) {
      const nextCursor = Number(reply.lost.endCursor);
      this.#lost = { cursor: this.#lost?.cursor ?? Number(reply.lost.beginCursor), nextCursor };
    }
    this.start = { case: "cursor", value: reply.nextCursor };
  }

  isComplete(reply: ReadOutputResponse): boolean {
    const hasAllLines = this.lines.length >= (this.#options.maxLines || Infinity);
    return !reply.truncated || this.bytesLeft <= 0 || hasAllLines || Number(reply.nextCursor) >= this.#endCursor;
  }

  finish(reply: ReadOutputResponse, platform: string): OutputPart {
    const [only, ...others] = this.#chunks;
    const bytes = only && others.length === 0 ? only : new Uint8Array(Buffer.concat(this.#chunks));
    return {
      bytes,
      text: decodeText(bytes),
      lines: this.lines,
      lost: this.#lost,
      nextCursor: Number(reply.nextCursor),
      endCursor: Number(reply.endCursor),
      truncated: reply.truncated,
      end: reply.ended && toExecEnd(reply.ended, platform),
    };
  }
}

type ReadStart = NonNullable<MessageInitShape<typeof ReadOutputRequestSchema>["start"]>;

function toStart({ cursor, head, tail }: OutputOptions): ReadStart {
  if (tail !== undefined) return { case: "tailBytes", value: BigInt(integer("tail", tail)) };
  if (cursor !== undefined) return { case: "cursor", value: BigInt(integer("cursor", cursor)) };
  return head === undefined ? { case: undefined } : { case: "cursor", value: 0n };
}

function toLineFilter(
  options: OutputOptions,
  linesSoFar: number,
): MessageInitShape<typeof LineFilterSchema> | undefined {
  const { grep } = options;
  if (grep === undefined) return undefined;
  return {
    expression: typeof grep === "string" ? { case: "literal", value: grep } : { case: "regex", value: grep.source },
    ignoreCase: options.ignoreCase ?? (typeof grep !== "string" && grep.ignoreCase),
    invert: options.invert ?? false,
    maxLines: options.maxLines ? integer("maxLines", options.maxLines) - linesSoFar : 0,
  };
}
