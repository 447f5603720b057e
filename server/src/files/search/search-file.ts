import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { readChunks } from "../read-chunks.ts";
import type { PathBytes } from "../path-bytes.ts";
import { isBinary, lineMatch } from "./line-match.ts";
import type { LineMatch } from "./line-match.ts";
import type { LineMatcher } from "./line-matcher.ts";

/** The lines of a file that match. A file that is not text has none. */
export async function* searchFile(
  at: PathBytes,
  matcher: LineMatcher,
  onUnreadable: () => void,
): AsyncGenerator<LineMatch> {
  const handle = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (handle === undefined) return onUnreadable();
  try {
    let lineNumber = 1;
    let rest: Buffer = Buffer.alloc(0);
    let isFirst = true;
    for await (const chunk of readChunks(handle, 0, Number.MAX_SAFE_INTEGER)) {
      if (isFirst && isBinary(chunk)) return;
      isFirst = false;
      const block: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const lastEnd = block.lastIndexOf(newline) + 1;
      // A line without an end in sight is searched in pieces.
      const end = lastEnd === 0 && block.length >= maxLineBytes ? block.length : lastEnd;
      lineNumber = yield* searchBlock(block.subarray(0, end), lineNumber, matcher);
      rest = block.subarray(end);
    }
    yield* searchBlock(rest, lineNumber, matcher);
  } catch {
    onUnreadable();
  } finally {
    await handle.close();
  }
}

/** Searches whole lines; returns the number of the line after them. */
function* searchBlock(block: Buffer, firstLine: number, matcher: LineMatcher): Generator<LineMatch, number> {
  let lineNumber = firstLine;
  let counted = 0;
  for (let from = 0; from < block.length;) {
    const hit = matcher.candidate(block, from);
    if (hit === -1) break;
    const begin = hit === 0 ? 0 : block.lastIndexOf(newline, hit - 1) + 1;
    const next = block.indexOf(newline, hit);
    const end = next === -1 ? block.length : next + 1;
    lineNumber += countLines(block, counted, begin);
    counted = begin;
    const line = block.subarray(begin, end);
    const spans = matcher.spans(next === -1 ? line : line.subarray(0, -1));
    if (spans.length > 0) yield lineMatch(lineNumber, line, spans);
    from = end;
  }
  return lineNumber + countLines(block, counted, block.length);
}

function countLines(block: Buffer, begin: number, end: number): number {
  let lines = 0;
  for (let at = block.indexOf(newline, begin); at !== -1 && at < end; at = block.indexOf(newline, at + 1)) lines++;
  return lines;
}

const newline = 0x0a;
const maxLineBytes = 1024 * 1024;
