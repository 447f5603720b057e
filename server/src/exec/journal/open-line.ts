import type { OutputStream } from "../spec.ts";
import type { JournalChunk } from "./chunks.ts";
import type { Journal } from "./journal.ts";
import { LINE_FEED, LineSplitter, PIECE_BYTES } from "./line-splitter.ts";

/** How much is read at once on the way back. */
const WINDOW_BYTES = 64 * 1024;
/** So many bytes of a stream without a line feed tell where its piece at hand began: see LineSplitter. */
const ENOUGH_BYTES = 2 * PIECE_BYTES;
/**
 * How far the beginning of a line may lie before its last byte at hand, the other stream's bytes in between counted. The
 * beginning of a line that is torn further than that is not found.
 */
const MAX_LOOK_BACK_BYTES = 4 * 1024 * 1024;

/** A splitter that stands at a cursor as if it had read everything before: with the beginning of the line at hand. */
export async function splitterAt(
  journal: Journal,
  cursor: number,
  stream: OutputStream,
  find: ((data: Buffer, from: number) => number) | undefined,
): Promise<LineSplitter> {
  const splitter = new LineSplitter(find);
  for (const chunk of await openLine(journal, cursor, stream)) {
    // What is over before the cursor was answered before.
    for (const _ of splitter.feed(chunk)) continue;
  }
  return splitter;
}

/** A stream's bytes before a cursor, from where the line at hand begins, or a piece of it. */
async function openLine(journal: Journal, cursor: number, stream: OutputStream): Promise<JournalChunk[]> {
  let chunks: JournalChunk[] = [];
  let end = cursor;
  for (let looked = 0; end > journal.beginCursor && looked < MAX_LOOK_BACK_BYTES; looked += WINDOW_BYTES) {
    // The stream has been silent for a while, perhaps for a gigabyte of the other one.
    if (looked > 0 && chunks.length === 0) end = await lastPrinted(journal, end, stream);
    const begin = Math.max(journal.beginCursor, end - WINDOW_BYTES);
    const window = (await readRange(journal, begin, end)).filter((chunk) => chunk.stream === stream);
    const line = afterLastLineFeed(window);
    chunks = [...line, ...chunks];
    if (byteLength(line) < byteLength(window)) return chunks;
    if (byteLength(chunks) >= ENOUGH_BYTES) return fromPieceOn(chunks);
    end = begin;
  }
  return chunks;
}

async function readRange(journal: Journal, begin: number, end: number): Promise<JournalChunk[]> {
  let all: JournalChunk[] = [];
  for (let cursor = begin; cursor < end;) {
    const { lost, chunks, nextCursor } = await journal.read(cursor, end - cursor);
    all = lost === undefined ? [...all, ...chunks] : chunks;
    cursor = nextCursor;
  }
  return all;
}

/** The cursor after the last byte that the stream printed before `cursor`, by bisection. */
async function lastPrinted(journal: Journal, cursor: number, stream: OutputStream): Promise<number> {
  const offset = await streamOffsetAt(journal, cursor, stream);
  let low = journal.beginCursor;
  let high = cursor;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await streamOffsetAt(journal, middle, stream)) < offset) low = middle + 1;
    else high = middle;
  }
  return high;
}

/** How many bytes the stream printed before a cursor. */
async function streamOffsetAt(journal: Journal, cursor: number, stream: OutputStream): Promise<number> {
  if (cursor === journal.endCursor) return stream === "stdout" ? journal.stdoutBytes : journal.stderrBytes;
  const [next] = (await journal.read(cursor, 1)).chunks;
  if (next === undefined) return 0;
  return next.stream === stream ? next.streamOffset : next.cursor - next.streamOffset;
}

function afterLastLineFeed(chunks: readonly JournalChunk[]): JournalChunk[] {
  for (const [i, chunk] of [...chunks.entries()].toReversed()) {
    const lineFeed = chunk.data.lastIndexOf(LINE_FEED);
    if (lineFeed >= 0) return [withoutFirst(chunk, lineFeed + 1), ...chunks.slice(i + 1)];
  }
  return [...chunks];
}

/** Drops what stands before the last multiple of the piece's length that is not at the very end. */
function fromPieceOn(chunks: readonly JournalChunk[]): JournalChunk[] {
  const last = chunks.at(-1);
  if (last === undefined) return [];
  const lastByte = last.streamOffset + last.data.length - 1;
  const begin = lastByte - (lastByte % PIECE_BYTES);
  return chunks
    .filter((chunk) => chunk.streamOffset + chunk.data.length > begin)
    .map((chunk) => withoutFirst(chunk, Math.max(0, begin - chunk.streamOffset)));
}

function withoutFirst(chunk: JournalChunk, bytes: number): JournalChunk {
  const { cursor, stream, streamOffset, data } = chunk;
  return { cursor: cursor + bytes, stream, streamOffset: streamOffset + bytes, data: data.subarray(bytes) };
}

function byteLength(chunks: readonly JournalChunk[]): number {
  return chunks.reduce((sum, { data }) => sum + data.length, 0);
}
