import { expect, test } from "vitest";
import { UsageError } from "../../../cli/src/frame/failure.ts";
import { count, duration, oneOf, pair, size, whole } from "../../../cli/src/frame/parse.ts";

test("durations, with a bare number as seconds", () => {
  const read = ["0", "1.5", "500ms", "10s", "5m", "1h30m", "2d"].map(duration);
  expect(read).toEqual([0, 1_500, 500, 10_000, 300_000, 5_400_000, 172_800_000]);
});

test("sizes, with powers of 1024", () => {
  const read = ["0", "4096", "64KiB", "64K", "1.5m", "1GiB", "2tb", "3B"].map(size);
  expect(read).toEqual([0, 4096, 65_536, 65_536, 1_572_864, 2 ** 30, 2 ** 41, 3]);
});

test("pairs, whose value may hold anything", () => {
  expect(["A=1=2", "A="].map(pair)).toEqual([
    ["A", "1=2"],
    ["A", ""],
  ]);
});

test.for([
  [duration, "soon"],
  [duration, "5 m"],
  [duration, "-1s"],
  [duration, ""],
  [size, "1X"],
  [size, "-1"],
  [size, "1 KiB"],
  [count, "1.5"],
  [count, "-1"],
  [whole, "9".repeat(16)],
  [count, String(2 ** 31)],
  [size, "8192T"],
  [pair, "=1"],
  [pair, "A"],
  [oneOf(["a", "b"]), "c"],
] as const)("%s refuses %j, saying what it must be", ([parse, text]) => {
  expect(() => parse(text)).toThrow(UsageError);
  expect(() => parse(text)).toThrow(/^must be /);
});
