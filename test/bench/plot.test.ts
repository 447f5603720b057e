import { expect, test } from "vitest";
import { drawPlot } from "../../bench/kit/draw-plot.ts";
import { reported } from "../../bench/kit/report.ts";

test("points become a line each, under their names, within the frame", () => {
  const point = (line: string, x: number, y: number) => {
    return { role: "yonder" as const, who: `${line} ${x}`, command: "", samples: 1, values: [y], point: { line, x } };
  };
  const svg = drawPlot(
    reported(
      "sweep",
      {
        title: "a < b",
        unit: "ms",
        better: "lower",
        columns: ["p50"],
        rows: [point("one", 1, 3), point("two", 1, 4), point("one", 64, 7), point("two", 64, 9)],
        notes: [],
        plot: { x: "size", y: "ms" },
      },
      1,
    ),
  );
  expect(svg.match(/<polyline /g)).toHaveLength(2);
  for (const name of ["one", "two", "size", "a &lt; b"]) expect(svg).toContain(`>${name}</text>`);
  for (const [, x, y] of svg.matchAll(/<circle cx="(\d+)" cy="(\d+)"/g)) {
    expect([Number(x) <= 720, Number(y) <= 400]).toEqual([true, true]);
  }
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});
