import { expect, test } from "vitest";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../../server/src/config/quantities.ts";

test.each([
  ["0", 0],
  ["500ms", 500],
  ["10s", 10_000],
  ["1.5s", 1_500],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["365d", 31_536_000_000],
])("the duration %s is %d ms", (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each(["10", "", "s", "-1s", "10 s", "1e3s", "tens"])("%j is no duration", (text) => {
  expect(() => parseDuration(text)).toThrow("a duration is a number with its unit");
});

test.each([
  ["0", 0],
  ["1024", 1_024],
  ["64KiB", 65_536],
  ["1.5MiB", 1_572_864],
  ["1gib", 2 ** 30],
  ["2 TiB", 2 ** 41],
])("the size %s is %d bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["", "KiB", "-1", "1KB", "1k", "1e3", "lots"])("%j is no size", (text) => {
  expect(() => parseSize(text)).toThrow("a size is a number of bytes");
});

test.each([0, 1, 500, 1_000, 90_000, 31_536_000_000])("%d ms are shown as what parses to them", (milliseconds) => {
  expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
});

test.each([0, 1, 1_000, 65_536, 2 ** 30, 3 * 2 ** 20])("%d bytes are shown as what parses to them", (bytes) => {
  expect(parseSize(formatSize(bytes))).toBe(bytes);
});
