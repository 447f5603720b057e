import type { OutputStream } from "../spec.ts";
import type { Journal, JournalLost } from "./journal.ts";
import { createLineMatcher, type LineExpression } from "./line-matcher.ts";
import type { Line, LineSplitter } from "./line-splitter.ts";
import { splitterAt } from "./open-line.ts";
import { Pace } from "./pace.ts";

export interface LineFilterOptions extends LineExpression {
  /** Where to begin: with the line that is not over before this cursor, from its first byte. */
  readonly cursor: number;
  /** Whether to answer the lines that do not match. */
  readonly invert: boolean;
  /** Only this stream's lines; undefined for both. */
  readonly stream: OutputStream | undefined;
  /** How many lines to answer at most; 0: as many as fit. */
  readonly maxLines: number;
  /** How large the answer may become, 32 bytes for each line included; one line always fits. */
  readonly maxBytes: number;
  /** Whether nothing more will be printed, so that what stands after the last line feed is a line. */
  readonly ended: boolean;
}

export interface FilteredLine {
  /** Of the line's first byte. */
  readonly cursor: number;
  readonly stream: OutputStream;
  /** Without its line feed. */
  readonly data: Uint8Array;
  /** Whether the line goes on in the next piece. */
  readonly partial: boolean;
}

export interface FilteredLines {
  /** In the order in which they were over. */
  readonly lines: FilteredLine[];
  readonly lost: JournalLost | undefined;
  /** To go on from: no line is answered twice and none left out. */
  readonly nextCursor: number;
  /** Whether there is more to look at now. */
  readonly truncated: boolean;
}

/** What a line takes up in an answer beside its bytes. */
const LINE_OVERHEAD_BYTES = 32;
/** The most that one call looks at. */
const MAX_SCAN_BYTES = 64 * 1024 * 1024;
/** The longest that one call works; a costly pattern comes to this long before the other bound. */
const MAX_WORK_MS = 1_000;
const READ_BYTES = 64 * 1024;

const STREAMS: readonly OutputStream[] = ["stdout", "stderr"];

/**
 * Finds lines. Streams have lines of their own, so one may begin before another ends; a line is answered where it is
 * over, and `nextCursor` stands for "what is over from here on": the beginning of a line is found by looking back. A line
 * that is not over is answered only once the exec has ended; then those of both streams come together, even if that is
 * one more than `maxLines`.
 */
export async function filterLines(journal: Journal, options: LineFilterOptions): Promise<FilteredLines> {
  const matcher = createLineMatcher(options);
  const { lost, nextCursor: begin } = await journal.read(options.cursor, 0);
  const splitters = new Map<OutputStream, LineSplitter>();
  for (const stream of options.stream === undefined ? STREAMS : [options.stream]) {
    splitters.set(stream, await splitterAt(journal, begin, stream, options.invert ? undefined : matcher.find));
  }
  const search: Search = {
    journal,
    splitters,
    isWanted: (line) => matcher.matches(line.data) !== options.invert,
    answer: new LineAnswer(options),
    pace: new Pace(MAX_WORK_MS),
  };
  const { nextCursor, isInLine } = await scan(search, begin);
  const isAtEnd = nextCursor === journal.endCursor;
  const isComplete = isAtEnd && (!options.ended || (!isInLine && addRest(search, nextCursor)));
  return { lines: search.answer.lines, lost, nextCursor, truncated: !isComplete };
}

interface Search {
  readonly journal: Journal;
  readonly splitters: ReadonlyMap<OutputStream, LineSplitter>;
  readonly isWanted: (line: Line) => boolean;
  readonly answer: LineAnswer;
  readonly pace: Pace;
}

/** Looks at what was printed from `begin` on. `isInLine` says that it stopped behind a piece whose line goes on. */
async function scan(
  { journal, splitters, isWanted, answer, pace }: Search,
  begin: number,
): Promise<{ nextCursor: number; isInLine: boolean }> {
  let cursor = begin;
  while (cursor < begin + MAX_SCAN_BYTES && !pace.isOver) {
    const { lost, chunks, nextCursor } = await journal.read(cursor, READ_BYTES);
    // The journal's cap has overtaken us: the next call is told what that cost.
    if (lost !== undefined || chunks.length === 0) break;
    for (const chunk of chunks) {
      for (const line of splitters.get(chunk.stream)?.feed(chunk) ?? []) {
        if (isWanted(line) && !answer.add(chunk.stream, line)) return { nextCursor: line.endCursor, isInLine: true };
        if (pace.isDue) await pace.letOthersRun();
        if (answer.isFull || pace.isOver) return { nextCursor: line.endCursor + 1, isInLine: line.partial };
      }
    }
    cursor = nextCursor;
    if (pace.isDue) await pace.letOthersRun();
  }
  return { nextCursor: cursor, isInLine: false };
}

/** Adds the lines that only the end of the output ends; returns false where there are some for which there is no room. */
function addRest({ splitters, isWanted, answer }: Search, endCursor: number): boolean {
  const rest = [...splitters].flatMap(([stream, splitter]) => {
    const line = splitter.rest(endCursor);
    return line !== undefined && isWanted(line) ? [{ stream, line }] : [];
  });
  // They bear the same cursor to go on from, so both come or neither.
  if (rest.length > 0 && (answer.isFull || !rest.every(({ line }) => answer.hasRoomFor(line)))) return false;
  for (const { stream, line } of rest) answer.push(stream, line);
  return true;
}

class LineAnswer {
  readonly lines: FilteredLine[] = [];
  readonly #maxLines: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(options: Pick<LineFilterOptions, "maxLines" | "maxBytes">) {
    this.#maxLines = options.maxLines === 0 ? Infinity : options.maxLines;
    this.#maxBytes = options.maxBytes;
  }

  get isFull(): boolean {
    return this.lines.length >= this.#maxLines;
  }

  hasRoomFor(line: Line): boolean {
    return this.lines.length === 0 || this.#bytes + line.data.length + LINE_OVERHEAD_BYTES <= this.#maxBytes;
  }

  /** Adds a line unless there is no room for it. */
  add(stream: OutputStream, line: Line): boolean {
    if (!this.hasRoomFor(line)) return false;
    this.push(stream, line);
    return true;
  }

  push(stream: OutputStream, { cursor, data, partial }: Line): void {
    // A copy, so that a short line does not keep the long buffer in memory that it was found in.
    this.lines.push({ cursor, stream, data: Buffer.from(data), partial });
    this.#bytes += data.length + LINE_OVERHEAD_BYTES;
  }
}
