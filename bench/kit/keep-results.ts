import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { describeMachine } from "./machine.ts";
import type { ReportedResult } from "./report.ts";

export interface Run {
  readonly machine: ReturnType<typeof describeMachine>;
  readonly rounds: number;
  readonly result: ReportedResult;
}

const file = fileURLToPath(new URL("../results/last-run.json", import.meta.url));

/** Keeps a benchmark's last result with the machine that it was measured on; those of the others stay. */
export function keepResult({ machine, rounds, result }: Run): void {
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>) : {};
  kept[result.name] = { machine, rounds, ...result };
  const sorted = Object.fromEntries(Object.entries(kept).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  mkdirSync(new URL(".", `file://${file}`), { recursive: true });
  writeFileSync(file, `${JSON.stringify(sorted, undefined, 2)}\n`);
}
