import { describe, expect, test } from "vitest";
import { SequenceScanner } from "../../../server/src/exec/sequence-scanner.ts";

/** Each is over with its last byte and not before. */
const pieces = {
  "a letter": "a",
  "a line feed": "\n",
  "a character of two bytes": "é",
  "a character of three bytes": "漢",
  "a character of four bytes": "🦊",
  "a move of the cursor": "\u001b[12;34H",
  "a private mode": "\u001b[?1049h",
  "a colour of many parameters": "\u001b[38;2;10;20;30m",
  "a control sequence with an intermediate": "\u001b[2 q",
  "a short escape": "\u001b7",
  "a character set": "\u001b(0",
  "a title that a bell ends": "\u001b]0;the é title\u0007",
  "a cancelled control sequence": "\u001b[12\u0018",
} as const;

describe("what is half said is counted, and nothing once it is over:", () => {
  test.for(Object.entries(pieces))("%s", ([, piece]) => {
    const bytes = Buffer.from(piece);
    for (const before of ["", ...Object.values(pieces)]) {
      const scanner = new SequenceScanner();
      scanner.feed(Buffer.from(before));
      expect(scanner.openBytes).toBe(0);
      for (const [index, byte] of bytes.entries()) {
        scanner.feed(Buffer.of(byte));
        expect(scanner.openBytes).toBe(index + 1 === bytes.length ? 0 : index + 1);
      }
    }
  });

  test("a string that ESC \\ ends is done with its ESC, from which the next begins", () => {
    for (const string of ["\u001b]8;;http://x", "\u001bP1$r0m", "\u001b_private\u0007", "\u001b^message"]) {
      const scanner = new SequenceScanner();
      scanner.feed(Buffer.from(string));
      expect(scanner.openBytes).toBe(string.length);
      scanner.feed(Buffer.from("\u001b"));
      expect(scanner.openBytes).toBe(1);
      scanner.feed(Buffer.from("\\"));
      expect(scanner.openBytes).toBe(0);
    }
  });

  test("a sequence that another breaks off counts from the other's begin", () => {
    const scanner = new SequenceScanner();
    scanner.feed(Buffer.from("\u001b[12;\u001b[3"));
    expect(scanner.openBytes).toBe(3);
  });

  test("bytes that are no UTF-8 hold up nothing", () => {
    const scanner = new SequenceScanner();
    scanner.feed(Buffer.of(0xff, 0x80, 0xc0, 0xe9));
    expect(scanner.openBytes).toBe(1);
    scanner.feed(Buffer.from("a"));
    expect(scanner.openBytes).toBe(0);
  });
});
