import { isUtf8 } from "node:buffer";
import type { Span } from "./line-match.ts";

/** Finds a text in lines. */
export interface LineMatcher {
  /** The offset of the first place from `from` on that may match, or -1: to skip lines without looking at them. */
  candidate(block: Buffer, from: number): number;
  /** Where in a line the matches are. */
  spans(line: Buffer): Span[];
}

export function createLineMatcher(literal: string, ignoreCase: boolean): LineMatcher {
  return ignoreCase ? new FoldingMatcher(literal) : new ExactMatcher(literal);
}

class ExactMatcher implements LineMatcher {
  readonly #needle: Buffer;

  constructor(literal: string) {
    this.#needle = Buffer.from(literal);
  }

  candidate(block: Buffer, from: number): number {
    return block.indexOf(this.#needle, from);
  }

  spans(line: Buffer): Span[] {
    const spans: Span[] = [];
    for (let begin = line.indexOf(this.#needle); begin !== -1; begin = line.indexOf(this.#needle, begin)) {
      spans.push({ begin, end: begin + this.#needle.length });
      begin += this.#needle.length;
    }
    return spans;
  }
}

/** Takes case as Unicode does, in lines of UTF-8; in others only that of ASCII. */
class FoldingMatcher implements LineMatcher {
  readonly #text: RegExp;
  readonly #bytes: RegExp;

  constructor(literal: string) {
    this.#text = new RegExp(escape(literal), "giu");
    this.#bytes = new RegExp(escape(Buffer.from(literal).toString("latin1")), "gi");
  }

  candidate(_block: Buffer, from: number): number {
    return from;
  }

  spans(line: Buffer): Span[] {
    if (!isUtf8(line)) {
      return [...line.toString("latin1").matchAll(this.#bytes)].map(({ 0: match, index }) => ({
        begin: index,
        end: index + match.length,
      }));
    }
    const text = line.toString("utf8");
    return [...text.matchAll(this.#text)].map(({ 0: match, index }) => {
      const begin = Buffer.byteLength(text.slice(0, index));
      return { begin, end: begin + Buffer.byteLength(match) };
    });
  }
}

function escape(literal: string): string {
  return literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
