import { expect, test } from "vitest";
import { LineSplitter } from "../../client/src/exec/line-splitter.ts";

test("lines come whole, wherever their bytes are cut", () => {
  const bytes = Buffer.from("one\r\nzwei ö\n\nthree\rmore\nlast");
  for (let at = 0; at <= bytes.length; at++) {
    expect(linesOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual(["one", "zwei ö", "", "three\rmore", "last"]);
  }
});

test("a line's end at the very end begins no further line", () => {
  expect(linesOf(Buffer.from("a\nb\n"))).toEqual(["a", "b"]);
  expect(linesOf()).toEqual([]);
});

test("a line without an end is given out in pieces", () => {
  const splitter = new LineSplitter();
  let longest = 0;
  let length = 0;
  for (let count = 0; count < 100; count++) {
    for (const piece of splitter.push(Buffer.alloc(100_000, "x"))) {
      longest = Math.max(longest, piece.length);
      length += piece.length;
    }
  }
  for (const piece of splitter.flush()) length += piece.length;
  expect(length).toBe(10_000_000);
  expect(longest).toBeLessThan(1_200_000);
});

function linesOf(...chunks: Uint8Array[]): string[] {
  const splitter = new LineSplitter();
  return [...chunks.flatMap((chunk) => [...splitter.push(chunk)]), ...splitter.flush()];
}
