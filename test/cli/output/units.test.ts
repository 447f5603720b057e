import { expect, test } from "vitest";
import { formatDuration, formatSize } from "../../../cli/src/output/units.ts";

test("durations are told in two units at most", () => {
  const told = [0, 999, 1_000, 61_000, 3_600_000, 3_725_000, 90_000_000, 86_400_000].map(formatDuration);
  expect(told).toEqual(["0ms", "999ms", "1s", "1m 1s", "1h", "1h 2m", "1d 1h", "1d"]);
});

test("sizes are told in three digits at most", () => {
  const told = [0, 1, 1023, 1024, 1536, 10 * 1024, 1_048_575, 1_048_576, 5e12].map(formatSize);
  expect(told).toEqual(["0B", "1B", "1023B", "1.0KiB", "1.5KiB", "10KiB", "1024KiB", "1.0MiB", "4.5TiB"]);
});
