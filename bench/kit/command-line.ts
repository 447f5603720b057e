import { parseArgs } from "node:util";

/** What a run was asked for. */
export interface CommandLine {
  /** Which benchmarks. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: boolean;
  readonly profile: string | undefined;
  readonly list: boolean;
  readonly help: boolean;
}

/** What is wrong in the command line, in one line for people. */
export class CommandLineError extends Error {}

export const usage = `Usage: npm run bench -- [options]

Measures everything, or what is named, and prints a table a benchmark with each figure beside its floor and its target.
docs/bench.md says what each benchmark measures.

  --only NAME     only the benchmarks whose name begins so; may be given several times
  --rounds N      how often the contenders take turns (default 10)
  --quick         one round of little work each: whether all of it runs, in two minutes, and no figures to go by
  --json          print JSON instead of tables
  --profile DIR   leave a CPU profile of every process in DIR; figures are then slower
  --list          print the benchmarks' names
  --help          print this
`;

/** Reads the words behind the program's name; `known` are the names of all benchmarks. */
export function readCommandLine(words: readonly string[], known: readonly string[]): CommandLine {
  const { only = [], rounds = "10", quick = false, profile, ...rest } = parse(words);
  const stranger = only.find((begin) => !known.some((name) => name.startsWith(begin)));
  if (stranger !== undefined) {
    throw new CommandLineError(`--only ${stranger}: no benchmark's name begins so; --list prints the names`);
  }
  if (!/^[1-9]\d*$/.test(rounds)) {
    throw new CommandLineError(`--rounds ${rounds}: a whole number from 1 is needed`);
  }
  return {
    names: known.filter((name) => only.length === 0 || only.some((begin) => name.startsWith(begin))),
    rounds: quick ? 1 : Number(rounds),
    quick,
    profile,
    json: rest.json ?? false,
    list: rest.list ?? false,
    help: rest.help ?? false,
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        only: { type: "string", multiple: true },
        rounds: { type: "string" },
        quick: { type: "boolean" },
        json: { type: "boolean" },
        profile: { type: "string" },
        list: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new CommandLineError(
      `${error instanceof Error ? error.message : String(error)}; --help prints what there is`,
    );
  }
}
