/**
 * Something that is measured. A file named benchmarks.ts in a room of bench/ exports its own as
 * `benchmarks: Benchmark[]`, and the runner finds it there.
 */
export interface Benchmark {
  /** What `--only` takes, for example "exec-args". */
  readonly name: string;
  run(context: BenchmarkContext): Promise<Result>;
}

export interface BenchmarkContext {
  /** How often the contenders take turns (`--rounds`, 10 by default). */
  readonly rounds: number;
  /** Whether a look is enough that everything runs (`--quick`): little work, and figures that say nothing. */
  readonly quick: boolean;
  /** Whatever is started is put here, and stopped in the reverse order when the benchmark ends, however it ends. */
  readonly scope: AsyncDisposableStack;
  /** A directory of this benchmark's own, removed with the scope. */
  readonly directory: string;
  /** Where the processes leave CPU profiles (`--profile`); undefined where none are wanted. */
  readonly profileDirectory: string | undefined;
}

/** One table: figures of one unit beside their floor. */
export interface Result {
  /** What was measured, in a few words. */
  readonly title: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
  /** The statistics in a row, for example ["p50", "p90", "p99"]. Ratios are taken from the first. */
  readonly columns: readonly string[];
  /** The first row whose role is "floor" is what the others are divided by, unless they name another. */
  readonly rows: readonly Row[];
  /** What was left out and why, and what a reader has to know beside the figures. */
  readonly notes: readonly string[];
  /** Set where the rows are points of lines: what their `x` is. */
  readonly plot?: { readonly x: string; readonly y: string } | undefined;
}

export interface Row {
  /** `floor` is the least that it can cost, `peer` what people use instead, `yonder` what is measured. */
  readonly role: "floor" | "yonder" | "peer";
  /** Who did it, by what means. */
  readonly who: string;
  /** What was run. */
  readonly command: string;
  /** How many measurements stand behind the values. */
  readonly samples: number;
  /** One a column. */
  readonly values: readonly number[];
  /** The `who` of the row that this one is divided by. Default: the first floor's. */
  readonly floor?: string | undefined;
  /** Where it stands on a line of `Result.plot`, and on which. */
  readonly point?: { readonly line: string; readonly x: number } | undefined;
  /** What this row is to reach. */
  readonly target?: Target | undefined;
}

/** What is to be reached: by the ratio of the first column, at most or at least so much as `better` has it. */
export interface Target {
  readonly ratio?: number;
  /** What would be better still. */
  readonly stretch?: number;
  /** Bounds on the values themselves, one a column. */
  readonly values?: readonly number[];
  /** Whether it is to be better than every peer. */
  readonly aheadOfPeers?: boolean;
}
