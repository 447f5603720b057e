// `npm run bench`: measures, and prints a table a benchmark, or all of it as JSON. docs/bench.md says what it means.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { keepResults } from "./kit/keep-results.ts";
import { findBenchmarks } from "./kit/find-benchmarks.ts";
import { describeMachine } from "./kit/machine.ts";
import { formatResult, withRatios } from "./kit/report.ts";
import type { ReportedResult } from "./kit/report.ts";
import { runBenchmark } from "./kit/run-benchmark.ts";

const usage = `Usage: npm run bench -- [options]

  --only NAME     only the benchmarks whose name begins so; may be given several times
  --rounds N      how often the contenders take turns (default 10)
  --quick         one round of little work each: whether all of it runs, in two minutes, and no figures to go by
  --json          print JSON instead of tables
  --profile DIR   leave a CPU profile of every process in DIR; figures are then slower
  --list          print the benchmarks' names
  --help          print this
`;

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true, default: [""] },
      rounds: { type: "string", default: "10" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      profile: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(usage);
  const benchmarks = (await findBenchmarks()).filter(({ name }) => values.only.some((begin) => name.startsWith(begin)));
  if (benchmarks.length === 0) return fail(`no benchmark's name begins with ${values.only.join(" or ")}`);
  if (values.list) return void process.stdout.write(benchmarks.map(({ name }) => `${name}\n`).join(""));
  const { quick } = values;
  const rounds = quick ? 1 : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    return fail(`--rounds takes a whole number from 1, not ${values.rounds}`);
  const profileDirectory = values.profile === undefined ? undefined : resolve(values.profile);
  if (profileDirectory !== undefined) mkdirSync(profileDirectory, { recursive: true });

  const machine = describeMachine();
  if (!values.json) {
    const { date, cpu, cores, memoryGiB, system, node, commit } = machine;
    console.log(`${date} · ${commit} · ${cores} × ${cpu}, ${memoryGiB} GiB · ${system} · Node ${node}`);
  }
  const results: ReportedResult[] = [];
  const signal = abortOnSignal();
  for (const benchmark of benchmarks) {
    try {
      const result = withRatios(
        benchmark.name,
        await runBenchmark(benchmark, { rounds, quick, profileDirectory }, signal),
      );
      results.push(result);
      if (!values.json) console.log(`\n${formatResult(result)}`);
    } catch (error) {
      if (signal.aborted) return;
      fail(`${benchmark.name}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  if (!quick && profileDirectory === undefined) keepResults({ machine, rounds, results });
  if (values.json) console.log(JSON.stringify({ machine, rounds, results }, undefined, 2));
}

/** What was started is stopped before the command ends. */
function abortOnSignal(): AbortSignal {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      process.exitCode = 130;
      abort.abort(new Error(`interrupted by ${name}`));
    });
  }
  return abort.signal;
}

function fail(message: string): void {
  console.error(`bench: ${message}`);
  process.exitCode = 1;
}
