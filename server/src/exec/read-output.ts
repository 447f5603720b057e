import type { Exec } from "./exec.ts";
import type { Journal, JournalChunk, JournalLost } from "./journal/journal.ts";
import { filterLines, type FilteredLine, type LineFilterOptions } from "./journal/line-filter.ts";
import type { OutputStream } from "./spec.ts";
import type { EndRecord } from "./state/records.ts";

/** Where the other stream printed much, a call looks at so many bytes and answers what it found. */
const MOST_SCANNED_BYTES = 64 * 1024 * 1024;
/** Keeps a reply of the smallest chunks under what a stock client takes. */
const MOST_CHUNKS = 4096;

export interface OutputQuery {
  readonly start: { readonly cursor?: number; readonly tailBytes?: number };
  readonly maxBytes: number;
  /** Only this stream; undefined for both. */
  readonly stream: OutputStream | undefined;
  /** How long to wait for a byte past the cursor, or for the end. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

export interface OutputPage {
  /** The bytes as they are; empty where lines were asked for. */
  readonly chunks: readonly JournalChunk[];
  /** The lines that match; empty where none were asked for. */
  readonly lines: readonly FilteredLine[];
  readonly lost: JournalLost | undefined;
  readonly nextCursor: number;
  readonly endCursor: number;
  readonly truncated: boolean;
  /** Set only where nothing is left to read. */
  readonly ended: EndRecord | undefined;
}

/** A part of an exec's output, running or ended. */
export async function readOutput(exec: Exec, query: OutputQuery): Promise<OutputPage> {
  const journal = await exec.journal();
  const cursor = await startCursor(exec, journal, query);
  await waitForOutput(exec, journal, cursor, query);
  // Whether it had ended is asked before reading: what comes between is then read next time.
  const { ended } = exec;
  const { lost, chunks, nextCursor } = await readOneStream(journal, cursor, query);
  const isAtEnd = nextCursor >= journal.endCursor;
  return {
    chunks,
    lines: [],
    lost,
    nextCursor,
    endCursor: journal.endCursor,
    truncated: !isAtEnd,
    ended: isAtEnd ? ended : undefined,
  };
}

/** The lines of an exec's output that match. */
export async function readLines(
  exec: Exec,
  query: OutputQuery,
  filter: Pick<LineFilterOptions, "expression" | "ignoreCase" | "invert" | "maxLines">,
): Promise<OutputPage> {
  const journal = await exec.journal();
  const cursor = await startCursor(exec, journal, query);
  await waitForOutput(exec, journal, cursor, query);
  const { ended } = exec;
  const { maxBytes, stream } = query;
  const found = await filterLines(journal, { ...filter, cursor, maxBytes, stream, ended: ended !== undefined });
  return {
    ...found,
    chunks: [],
    endCursor: journal.endCursor,
    ended: !found.truncated && found.nextCursor >= journal.endCursor ? ended : undefined,
  };
}

async function startCursor(exec: Exec, journal: Journal, { start }: OutputQuery): Promise<number> {
  if (start.tailBytes !== undefined) return Math.max(journal.beginCursor, journal.endCursor - start.tailBytes);
  if (start.cursor === undefined) return journal.beginCursor;
  await exec.mustReach(start.cursor);
  return start.cursor;
}

async function waitForOutput(
  exec: Exec,
  journal: Journal,
  cursor: number,
  { waitMs, signal }: OutputQuery,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (journal.endCursor <= cursor && exec.ended === undefined) {
    signal.throwIfAborted();
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return;
    await exec.changed.next(leftMs, signal);
  }
}

/** Reads until there are enough bytes of the wanted stream, none are left, or one call has looked at enough. */
async function readOneStream(
  journal: Journal,
  cursor: number,
  { maxBytes, stream }: OutputQuery,
): Promise<{ lost: JournalLost | undefined; chunks: JournalChunk[]; nextCursor: number }> {
  const first = await journal.read(cursor, maxBytes);
  if (stream === undefined) return first;
  const chunks = first.chunks.filter((chunk) => chunk.stream === stream);
  let { nextCursor } = first;
  while (nextCursor < journal.endCursor && nextCursor - cursor < MOST_SCANNED_BYTES && chunks.length < MOST_CHUNKS) {
    const roomBytes = maxBytes - byteLength(chunks);
    if (roomBytes <= 0) break;
    const more = await journal.read(nextCursor, roomBytes);
    chunks.push(...more.chunks.filter((chunk) => chunk.stream === stream));
    ({ nextCursor } = more);
  }
  return { lost: first.lost, chunks, nextCursor };
}

function byteLength(chunks: readonly JournalChunk[]): number {
  return chunks.reduce((sum, { data }) => sum + data.length, 0);
}
