// `npm run bench`: measures, and prints a table a benchmark and a summary, or all of it as JSON. docs/bench.md says what it
// means.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { abortOnSignal } from "./kit/abort-on-signal.ts";
import type { Benchmark } from "./kit/benchmark.ts";
import { keepResult, renderKept } from "./kit/keep-results.ts";
import { findBenchmarks } from "./kit/find-benchmarks.ts";
import { describeMachine, describeRun } from "./kit/machine.ts";
import { CommandLineError, readCommandLine, usage } from "./kit/command-line.ts";
import type { CommandLine } from "./kit/command-line.ts";
import { formatResult, formatSummary, reported } from "./kit/report.ts";
import type { ReportedResult } from "./kit/report.ts";
import { runBenchmark } from "./kit/run-benchmark.ts";

try {
  const all = await findBenchmarks();
  const commandLine = readCommandLine(
    process.argv.slice(2),
    all.map(({ name }) => name),
  );
  const chosen = all.filter(({ name }) => commandLine.names.includes(name));
  if (commandLine.help) process.stdout.write(usage);
  else if (commandLine.list) process.stdout.write(chosen.map(({ name }) => `${name}\n`).join(""));
  else await run(chosen, commandLine);
} catch (error) {
  if (!(error instanceof CommandLineError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}

async function run(benchmarks: readonly Benchmark[], { rounds, quick, json, profile }: CommandLine): Promise<void> {
  const profileDirectory = profile === undefined ? undefined : resolve(profile);
  if (profileDirectory !== undefined) mkdirSync(profileDirectory, { recursive: true });
  const print = (text: string): void => void (json || console.log(text));
  const machine = describeMachine();
  print(describeRun({ machine, rounds }));

  // Figures of little work or under a profiler are not to stand beside others.
  const isKept = !quick && profileDirectory === undefined;
  const results: ReportedResult[] = [];
  const signal = abortOnSignal();
  const begin = performance.now();
  for (const benchmark of benchmarks) {
    try {
      const options = { rounds, quick, profileDirectory };
      const start = performance.now();
      const measured = await runBenchmark(benchmark, options, signal);
      const result = reported(benchmark.name, measured, secondsSince(start));
      results.push(result);
      print(`\n${formatResult(result)}`);
      // One by one, so that what was measured stays if a later one is interrupted; and if it is left out the next time.
      if (isKept && result.rows.length > 0) keepResult({ machine, rounds, ...result });
    } catch (error) {
      if (signal.aborted) return;
      console.error(`bench: ${benchmark.name}: ${error instanceof Error ? error.stack : String(error)}`);
      process.exitCode = 1;
    }
  }
  if (isKept) renderKept();
  print(
    `${formatSummary(results)}\n${results.length} of ${benchmarks.length} benchmarks ran, in ${secondsSince(begin).toFixed(0)} s`,
  );
  if (json) console.log(JSON.stringify({ machine, rounds, results }, undefined, 2));
}

function secondsSince(begin: number): number {
  return (performance.now() - begin) / 1_000;
}
