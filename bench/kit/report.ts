import type { Result, Row } from "./benchmark.ts";

/** A result with what each value is, divided by the floor's. */
export interface ReportedResult extends Result {
  readonly name: string;
  readonly rows: readonly (Row & { readonly ratios: readonly number[] })[];
}

export function withRatios(name: string, result: Result): ReportedResult {
  const floor = result.rows.find((row) => row.role === "floor");
  const rows = result.rows.map((row) => ({
    ...row,
    ratios: row.values.map((value, column) => value / (floor?.values[column] ?? Number.NaN)),
  }));
  return { name, ...result, rows };
}

/** A result as a table for people. */
export function formatResult(result: ReportedResult): string {
  const header = [
    "",
    "",
    ...result.columns.map((column) => (column.includes(" ") ? column : `${column} ${result.unit}`)),
    "× floor",
    "samples",
  ];
  const rows = result.rows.map((row) => [
    row.role,
    row.who,
    ...row.values.map(formatValue),
    (row.ratios[0] ?? Number.NaN).toFixed(2),
    String(row.samples),
  ]);
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] ?? title).length)),
  );
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  const commands = [...new Set(result.rows.map((row) => row.command))];
  return [
    `${result.name}: ${result.title} (${result.better} is better)`,
    ...lines.map((line) => `  ${line}`),
    `  runs: ${commands.join("; ")}`,
    ...result.notes.map((note) => `  note: ${note}`),
  ].join("\n");
}

function formatValue(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}
