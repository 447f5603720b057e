import { UsageError } from "../frame/failure.ts";
import { size } from "../frame/parse.ts";
import { defineVerb, flag, value } from "../frame/verb.ts";
import type { Extent } from "../logs/print-logs.ts";

export const verb = defineVerb({
  description: [
    "Standard output is printed to standard output, standard error to standard error, byte for byte and in the order in " +
      "which they were printed. With -f it goes on until the command ends; Ctrl-C stops the printing, not the command.",
    "--head and --tail take a number of lines, or a size with its unit (4KiB, 1M) for bytes. With --grep they count lines " +
      "that match. A pattern is RE2's, of which what grep -E takes is a part.",
  ],
  arguments: [{ usage: "<id>", description: "The command's id, as `yonder ps` has it", completes: "exec-id" }],
  options: {
    follow: flag("-f, --follow", "Go on with what it prints, to its end"),
    head: value("--head <n>", "Only the first lines, or bytes", { parse: extent }),
    tail: value("--tail <n>", "Only the last lines, or bytes", { parse: extent }),
    grep: value("-g, --grep <pattern>", "Only the lines that match"),
    fixed: flag("-F, --fixed-strings", "With --grep: the pattern is a text"),
    ignoreCase: flag("-i, --ignore-case", "With --grep: upper and lower case are the same"),
    invert: flag("-v, --invert-match", "With --grep: the lines that do not match"),
    stdout: flag("--stdout", "Only standard output"),
    stderr: flag("--stderr", "Only standard error"),
  },
  examples: [
    ["yonder logs build", "All that is kept of what it printed."],
    ["yonder logs -f --tail 20 dev", "The last lines, and on."],
    ["yonder logs -g 'error|warning' -i --stderr build", "Lines of standard error that match."],
  ],
  connects: true,
  async run({ arguments: [id], options, connection }) {
    const { head, tail, grep, stdout, stderr, fixed, ignoreCase, invert, follow } = options;
    if (head && tail) throw new UsageError("--head and --tail are two ends: give one of them");
    if (grep === undefined && (fixed || ignoreCase || invert)) throw new UsageError("-F, -i and -v go with --grep");
    const stream = stdout === stderr ? undefined : stdout ? "stdout" : "stderr";
    const { connect } = await import("../connection/connect.ts");
    await using workspace = await connect(connection);
    const handle = await workspace.attach(id);
    if (grep === undefined) {
      const { printLogs } = await import("../logs/print-logs.ts");
      await printLogs(handle, { head, tail, stream, follow });
    } else {
      const [first, last] = [lines("--head", head), lines("--tail", tail)];
      const { printMatches } = await import("../logs/print-matches.ts");
      await printMatches(handle, { pattern: pattern(grep, fixed), first, last, stream, follow, ignoreCase, invert });
    }
  },
});

function extent(text: string): Extent {
  if (/^\d{1,15}$/.test(text)) return { lines: Number(text) };
  if (/^\d+(\.\d+)?[a-z]+$/i.test(text)) return { bytes: size(text) };
  throw new UsageError("must be a number of lines, or a size such as 4KiB or 1M");
}

function lines(option: string, extent: Extent | undefined): number | undefined {
  if (!extent) return undefined;
  if ("lines" in extent) return extent.lines;
  throw new UsageError(`with --grep, ${option} counts lines: give a number without a unit`);
}

function pattern(grep: string, isFixed: boolean): string | RegExp {
  try {
    return isFixed ? grep : new RegExp(grep);
  } catch (error) {
    throw new UsageError(`--grep: ${(error as Error).message}; with -F it is taken as a text`, { cause: error });
  }
}
