import { isUtf8 } from "node:buffer";
import { RE2JS } from "re2js";
import { InvalidRequest } from "../../util/errors.ts";

export interface LineExpression {
  readonly expression: { readonly literal: string } | { readonly regex: string };
  readonly ignoreCase: boolean;
}

export interface LineMatcher {
  readonly matches: (line: Buffer) => boolean;
  /**
   * Where in `data`, which may hold many lines, the next match begins; -1 if there is none. Absent where lines can only
   * be looked at one by one.
   */
  readonly find?: (data: Buffer, from: number) => number;
}

/**
 * The largest pattern, in instructions of its compiled form. A literal of 1,000 characters has as many; what goes past
 * this is nested repetition, whose worst case would hold the event loop for seconds on one line of 64 KiB.
 */
const MAX_PROGRAM_SIZE = 1_100;

/** Throws InvalidRequest if the pattern is none. */
export function createLineMatcher({ expression, ignoreCase }: LineExpression): LineMatcher {
  if ("regex" in expression) return regexMatcher(expression.regex, ignoreCase);
  return ignoreCase ? foldedMatcher(expression.literal) : bytesMatcher(expression.literal);
}

/** Compares bytes, so that any output can be searched. */
function bytesMatcher(literal: string): LineMatcher {
  const bytes = Buffer.from(literal);
  // It is part of no line.
  if (bytes.includes("\n")) return { matches: () => false, find: () => -1 };
  return {
    matches: (line) => line.includes(bytes),
    find: (data, from) => data.indexOf(bytes, from),
  };
}

/** Compares text where the line is UTF-8; elsewhere bytes, and takes only A to Z and a to z as the same. */
function foldedMatcher(literal: string): LineMatcher {
  const text = literal.toUpperCase();
  const bytes = upperCaseAscii(Buffer.from(literal));
  return {
    matches: (line) =>
      isUtf8(line) ? line.toString("utf8").toUpperCase().includes(text) : upperCaseAscii(line).includes(bytes),
  };
}

/** Matches text: bytes that are not UTF-8 read as U+FFFD, as RE2 has it. */
function regexMatcher(regex: string, ignoreCase: boolean): LineMatcher {
  const pattern = compile(regex, ignoreCase);
  return { matches: (line) => pattern.test(line.toString("utf8")) };
}

function compile(regex: string, ignoreCase: boolean): RE2JS {
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(regex, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw invalidRegex(`line_filter.regex is no pattern in RE2 syntax: ${message}`, error);
  }
  const size = pattern.programSize();
  if (size <= MAX_PROGRAM_SIZE) return pattern;
  throw invalidRegex(`line_filter.regex repeats too much: ${size} steps, and at most ${MAX_PROGRAM_SIZE} are taken`);
}

function invalidRegex(message: string, cause?: unknown): InvalidRequest {
  return new InvalidRequest("INVALID_FIELD", message, {
    subject: "line_filter.regex",
    remedy: "See https://github.com/google/re2/wiki/Syntax; there is no look-around and no back-reference.",
    cause,
  });
}

function upperCaseAscii(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte)));
}
