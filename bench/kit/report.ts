import type { Result, Row } from "./benchmark.ts";
import { alignTable, formatValue } from "./table.ts";
import { bestPeer, compare, describeVerdict, floorOf } from "./verdict.ts";
import type { Compared } from "./verdict.ts";

/** A result with each row beside its floor, the best peer and its target. */
export interface ReportedResult extends Result {
  readonly name: string;
  readonly rows: readonly ReportedRow[];
  /** How long all of it took. */
  readonly seconds: number;
}

type ReportedRow = Row & Compared;

export function reported(name: string, result: Result, seconds: number): ReportedResult {
  return { name, ...result, seconds, rows: result.rows.map((row) => ({ ...row, ...compare(result, row) })) };
}

/** A result as a table for people. */
export function formatResult(result: ReportedResult): string {
  const columns = result.columns.map((column) => (column.includes(" ") ? column : `${column} ${result.unit}`.trim()));
  const header = ["", "", ...columns, "× floor", "samples"];
  const rows = result.rows.map((row) => [
    row.role,
    row.who,
    ...row.values.map(formatValue),
    formatRatio(row.ratios[0]),
    String(row.samples),
  ]);
  const verdicts = ["target", ...result.rows.map(({ verdict }) => verdict && describeVerdict(result, verdict))];
  const lines = alignTable([header, ...rows], 2);
  const commands = [...new Set(result.rows.map((row) => row.command))];
  const others = result.rows.filter(({ floor }) => floor !== undefined && result.plot === undefined);
  return [
    `${result.name}: ${result.title} (${result.better} is better)`,
    ...lines.map((line, index) => `  ${line}  ${verdicts[index] ?? ""}`.trimEnd()),
    `  runs: ${commands.join("; ")}`,
    ...others.map(({ who, floor }) => `  floor: ${who} is divided by ${floor}`),
    ...result.notes.map((note) => `  note: ${note}`),
    `  took: ${result.seconds.toFixed(0)} s`,
  ].join("\n");
}

/** What was measured of Yonder in one line each, points of plots aside: work, ours, floor, ratio, peer, ratio. */
export function formatSummary(results: readonly ReportedResult[]): string {
  const header = ["work", "who", "unit", "ours", "floor", "× floor", "target", "peer", "× peer"];
  const tables = results.filter(({ plot }) => plot === undefined);
  const rows = tables.flatMap((result) =>
    result.rows
      .filter(({ role }) => role === "yonder")
      .map((row) => [
        result.name,
        row.who,
        result.unit,
        formatValue(row.values[0] ?? Number.NaN),
        formatValue(floorOf(result, row)?.values[0] ?? Number.NaN),
        formatRatio(row.ratios[0]),
        row.verdict === undefined ? "–" : describeVerdict(result, row.verdict),
        formatValue(bestPeer(result)?.values[0] ?? Number.NaN),
        formatRatio(row.peerRatio),
      ]),
  );
  return rows.length === 0 ? "" : `\n${alignTable([header, ...rows], 3).join("\n")}\n`;
}

function formatRatio(ratio = Number.NaN): string {
  return Number.isNaN(ratio) ? "–" : ratio.toFixed(2);
}
