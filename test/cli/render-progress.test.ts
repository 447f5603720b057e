import fc from "fast-check";
import { expect, test } from "vitest";
import type { Progress } from "../../cli/src/output/render-progress.ts";
import { renderProgress } from "../../cli/src/output/render-progress.ts";
import { widthOf } from "../../cli/src/output/table.ts";

const mib = 2 ** 20;
const half: Progress = {
  label: "data.tar",
  done: 50 * mib,
  total: 100 * mib,
  rate: 10 * mib,
  elapsedMs: 5_000,
  isFinished: false,
};

test("a line has name, bar, share, amounts, rate and the time that is left", () => {
  const line = renderProgress(half, 100);
  expect(line).toMatch(/^data\.tar \[=+> +\] +50% +50MiB\/100MiB +10MiB\/s +0:05$/);
});

test("without a total there is no share and no bar; at the end the time is what it took", () => {
  expect(renderProgress({ ...half, total: undefined }, 100)).toMatch(/^data\.tar +50MiB +10MiB\/s +0:05$/);
  expect(renderProgress({ ...half, done: 100 * mib, elapsedMs: 3_725_000, isFinished: true }, 100)).toMatch(
    /^data\.tar \[=+\] +100% +100MiB +10MiB\/s 1:02:05$/,
  );
});

test("nothing yet, nothing to do, and a standstill are no nonsense", () => {
  expect(renderProgress({ ...half, done: 0, rate: undefined }, 100)).toContain("--:--");
  expect(renderProgress({ ...half, done: 0, total: 0, rate: 0, isFinished: true }, 100)).toContain("100%");
  expect(renderProgress({ ...half, rate: 0 }, 100)).toContain("--:--");
  expect(renderProgress({ ...half, rate: 1e-9 }, 100)).not.toMatch(/NaN|Infinity|e\+/);
});

test("where there is little room the bar goes, then the name is cut; what would steer the terminal is escaped", () => {
  expect(renderProgress(half, 55)).toMatch(/^data\.tar +50% /);
  expect(renderProgress({ ...half, label: "a long name that does not fit" }, 55)).toMatch(/^a long.*… +50%/);
  expect(renderProgress({ ...half, label: "\u001b[2J\r" }, 100)).toContain(String.raw`\e[2J\r`);
});

test("a line is never as wide as the terminal", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 60 }),
      fc.integer({ min: 20, max: 200 }),
      fc.nat({ max: 2 ** 46 }),
      fc.option(fc.nat({ max: 2 ** 46 }), { nil: undefined }),
      (label, columns, done, total) => {
        const line = renderProgress({ ...half, label, done, total, rate: done / 7 }, columns);
        expect(widthOf(line)).toBeLessThan(columns);
      },
    ),
  );
});
