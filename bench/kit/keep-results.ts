import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { drawPlot } from "./draw-plot.ts";
import { describeRun } from "./machine.ts";
import type { Run } from "./machine.ts";
import { formatResult, formatSummary } from "./report.ts";
import type { ReportedResult } from "./report.ts";

/** A benchmark's last result with what it was measured on. */
export type KeptResult = ReportedResult & Run;

const directory = new URL("../results/", import.meta.url);
const file = new URL("last-run.json", directory);

/** Keeps a benchmark's last result; those of the others stay. */
export function keepResult(result: KeptResult): void {
  const kept = new Map(readKept().map((each) => [each.name, each]));
  kept.set(result.name, result);
  const sorted = [...kept].toSorted(([a], [b]) => (a < b ? -1 : 1));
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`);
}

/** Writes all that was kept as tables, and as plots what has points. */
export function renderKept(): void {
  const kept = readKept();
  const tables = runsOf(kept).map(([head, results]) => [head, ...results.map(formatResult)].join("\n\n"));
  writeFileSync(new URL("last-run.txt", directory), `${tables.join("\n\n\n")}\n`);
  for (const result of kept) {
    if (result.plot !== undefined) writeFileSync(new URL(`${result.name}.svg`, directory), drawPlot(result));
  }
}

/** A line each of all that was kept, by the runs that they are of. */
export function summarizeKept(): string {
  return runsOf(readKept().filter(({ plot }) => plot === undefined))
    .map(([head, results]) => [head, formatSummary(results)].join("\n"))
    .join("\n");
}

/** Results by where and when they were measured, the latest first. */
function runsOf(kept: readonly KeptResult[]): [head: string, results: KeptResult[]][] {
  return [...Map.groupBy(kept, describeRun)].toSorted(([a], [b]) => (a < b ? 1 : -1));
}

function readKept(): KeptResult[] {
  if (!existsSync(file)) return [];
  // JSON has no NaN, which stands where nothing could be measured.
  const revive = (_key: string, value: unknown): unknown => value ?? Number.NaN;
  const kept = JSON.parse(readFileSync(file, "utf8"), revive) as Record<string, KeptResult>;
  return Object.values(kept).map((result) => ({ ...result, seconds: result.seconds ?? Number.NaN }));
}
