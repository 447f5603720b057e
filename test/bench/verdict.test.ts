import { expect, test } from "vitest";
import { formatResult, formatSummary, reported } from "../../bench/kit/report.ts";

const row = { command: "it", samples: 1 } as const;
const result = reported(
  "rates",
  {
    title: "how fast",
    unit: "MiB/s",
    better: "higher",
    columns: ["p50"],
    rows: [
      { ...row, role: "floor", who: "wire", values: [1000] },
      { ...row, role: "yonder", who: "ours", values: [800], target: { ratio: 0.75, stretch: 0.9 } },
      { ...row, role: "yonder", who: "ours, slower", values: [300], target: { ratio: 0.5, aheadOfPeers: true } },
      { ...row, role: "floor", who: "other wire", values: [400] },
      { ...row, role: "yonder", who: "over it", values: [300], floor: "other wire", target: { aheadOfPeers: true } },
      { ...row, role: "peer", who: "theirs", values: [200] },
      { ...row, role: "peer", who: "theirs too", values: [350] },
    ],
    notes: [],
  },
  1,
);

test("each row is divided by its own floor and by the best peer, and held against its target", () => {
  const [, ours, slower, , other] = result.rows;
  expect([ours?.ratios, ours?.verdict?.reached, ours?.verdict?.stretchReached]).toEqual([[0.8], true, false]);
  expect([slower?.ratios, slower?.verdict?.reached]).toEqual([[0.3], false]);
  expect([other?.ratios, other?.peerRatio, other?.verdict?.reached]).toEqual([[0.75], 300 / 350, false]);
});

test("tables and the summary say what is to be reached and whether it was", () => {
  expect(formatResult(result)).toMatch(/ours +800 +0\.80 +1 +≥ 0\.75: reached$/m);
  expect(formatResult(result)).toContain("≥ 0.5 and ahead of peers: missed");
  expect(formatSummary([result])).toMatch(/^rates +ours +MiB\/s +800 +1000 +0\.80 +≥ 0\.75: reached +350 +2\.29$/m);
});

test("where less is better a target is the most that may be, and values may have bounds of their own", () => {
  const { rows } = reported(
    "times",
    {
      title: "how long",
      unit: "ms",
      better: "lower",
      columns: ["p50", "p99"],
      rows: [
        { ...row, role: "floor", who: "floor", values: [1, 10] },
        { ...row, role: "yonder", who: "within", values: [1.2, 9], target: { ratio: 1.3, stretch: 1.25 } },
        { ...row, role: "yonder", who: "beyond", values: [1.2, 11], target: { values: [2, 10] } },
      ],
      notes: [],
    },
    1,
  );
  expect(rows.map(({ verdict }) => verdict?.reached)).toEqual([undefined, true, false]);
  expect(rows[1]?.verdict?.stretchReached).toBe(true);
});
