import type { ReportedResult } from "./report.ts";

const [width, height] = [720, 400];
const margin = { top: 60, right: 20, bottom: 48, left: 64 };
const colours = ["#767676", "#0b6bcb", "#c2571a", "#2e7d4f", "#8347a8"];
/** From this span on, small values would lie on the axis. */
const logarithmicFrom = 30;

type Plotted = Pick<ReportedResult, "title" | "rows" | "plot">;

/** The rows of a result that are points, as an SVG: a line for each `point.line`, the x axis logarithmic. */
export function drawPlot({ title, rows, plot = { x: "", y: "" } }: Plotted): string {
  const points = rows.flatMap(({ point, values: [y = 0] }) => (point === undefined ? [] : [{ ...point, y }]));
  const lines = [...Map.groupBy(points, ({ line }) => line)];
  const ys = points.map(({ y }) => y);
  const xTicks = [...new Set(points.map(({ x }) => x))];
  const isLogarithmic = Math.max(...ys) / Math.min(...ys) > logarithmicFrom;
  const yTicks = isLogarithmic ? decades(Math.min(...ys), Math.max(...ys)) : steps(Math.max(...ys));
  const x = scale(Math.log2, [Math.min(...xTicks), Math.max(...xTicks)], [margin.left, width - margin.right]);
  const yRange = [height - margin.bottom, margin.top] as const;
  const y = scale(isLogarithmic ? Math.log10 : (value) => value, [yTicks[0] ?? 0, yTicks.at(-1) ?? 1], yRange);
  const bottom = height - margin.bottom;

  const parts = [
    ...yTicks.flatMap((tick) => [
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#dddddd"/>`,
      text(margin.left - 8, y(tick) + 4, String(tick), "end"),
    ]),
    ...xTicks.map((tick) => text(x(tick), bottom + 18, String(tick), "middle")),
    text(margin.left, 20, title, "start", "bold"),
    text((margin.left + width - margin.right) / 2, height - 8, plot.x, "middle"),
    text(margin.left - 8, margin.top - 12, plot.y, "end"),
    ...lines.flatMap(([name, own], index) => {
      const colour = colours[index % colours.length] ?? "black";
      const at = own.map((point) => `${x(point.x)},${y(point.y)}`);
      const left = margin.left + index * 210;
      return [
        `<polyline points="${at.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...own.map((point) => `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3.5" fill="${colour}"/>`),
        `<circle cx="${left + 5}" cy="36" r="5" fill="${colour}"/>`,
        text(left + 15, 40, name, "start"),
      ];
    }),
  ];
  const font = 'font-family="system-ui, sans-serif" font-size="12"';
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${font}>`;
  return [open, `<rect width="100%" height="100%" fill="white"/>`, ...parts, "</svg>", ""].join("\n");
}

function scale(
  by: (value: number) => number,
  [low, high]: readonly [number, number],
  [from, to]: readonly [number, number],
): (value: number) => number {
  return (value) => Math.round(from + ((by(value) - by(low)) / (by(high) - by(low))) * (to - from));
}

/** From zero in four to eight round steps. */
function steps(max: number): number[] {
  const power = 10 ** Math.floor(Math.log10(max / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => max / each <= 8) ?? max;
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

/** The powers of ten around, with two and five times each of them between. */
function decades(min: number, max: number): number[] {
  const all = Array.from({ length: 24 }, (_, index) => 10 ** (index - 12)).flatMap((power) => [
    power,
    2 * power,
    5 * power,
  ]);
  const below = all.findLastIndex((tick) => tick <= min);
  const above = all.findIndex((tick) => tick >= max);
  return all.slice(below, above + 1).map((tick) => Number(tick.toPrecision(1)));
}

function text(x: number, y: number, content: string, anchor: string, weight = "normal"): string {
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-weight="${weight}" fill="#222222">${safe}</text>`;
}
