import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { drawPlot } from "./draw-plot.ts";
import type { describeMachine } from "./machine.ts";
import type { ReportedResult } from "./report.ts";

export interface Run {
  readonly machine: ReturnType<typeof describeMachine>;
  readonly rounds: number;
  readonly result: ReportedResult;
}

type Kept = Record<string, ReportedResult>;

const directory = new URL("../results/", import.meta.url);
const file = fileURLToPath(new URL("last-run.json", directory));

/** Keeps a benchmark's last result with the machine that it was measured on; those of the others stay. */
export function keepResult({ machine, rounds, result }: Run): void {
  const kept: Record<string, object> = readKept();
  kept[result.name] = { machine, rounds, ...result };
  const sorted = Object.fromEntries(Object.entries(kept).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, `${JSON.stringify(sorted, undefined, 2)}\n`);
}

/** Draws what has points, of all that was kept, and answers the names of the files. */
export function drawKept(): string[] {
  return Object.values(readKept()).flatMap((result) => {
    if (result.plot === undefined) return [];
    const name = `${result.name}.svg`;
    writeFileSync(new URL(name, directory), drawPlot(result));
    return [name];
  });
}

function readKept(): Kept {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Kept) : {};
}
