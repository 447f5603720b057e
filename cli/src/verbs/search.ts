import type { SearchMatch } from "@yonder/client";
import { asUser, userOption } from "../connection/as-user.ts";
import { connect } from "../connection/connect.ts";
import { argumentBytes } from "../files/argument-bytes.ts";
import { joinPath } from "../files/operand.ts";
import { count } from "../frame/parse.ts";
import { UsageError } from "../frame/failure.ts";
import { defineVerb, flag, list, value } from "../frame/verb.ts";
import { escapeControls } from "../output/escape.ts";
import { jsonName, nameBytes } from "../output/names.ts";
import { style } from "../output/style.ts";
import { write, writeError, writeJsonLine } from "../output/write.ts";

export const verb = defineVerb({
  description: [
    "With a text, the lines that hold it, as path:line:text; without one (or with an empty one), the files themselves. " +
      "Hidden files, and what .gitignore files say, are left out unless asked for; binary files have no lines. Regular " +
      "expressions are those of ripgrep, which the server must have.",
    "With --json, an object a match: path, kind, and for a line lineNumber, line, lineTruncated and spans, where the " +
      "matches are in it, in bytes. A name that is not UTF-8 is also in pathBase64.",
  ],
  arguments: [
    { usage: "[text]", description: "What a line must hold" },
    { usage: "[path]", description: "Where to search; the workspace's directory", completes: "remote-path" },
  ],
  options: {
    regex: flag("-e, --regex", "The text is a regular expression"),
    ignoreCase: flag("-i, --ignore-case", "Upper and lower case are the same"),
    glob: list("-g, --glob <glob>", 'Only files that match one of these; "!" before it leaves out'),
    hidden: flag("--hidden", 'Names that begin with "." too'),
    ignored: flag("--ignored", "What .gitignore files say too"),
    filesOnly: flag("-l, --files-with-matches", "Only the names of the files"),
    max: value("-m, --max-matches <count>", "So many at most; 1,000", { parse: count }),
    perFile: value("--max-per-file <count>", "So many of one file at most", { parse: count }),
    json: flag("--json", "An object a match, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder search TODO src", "The lines with it."],
    ["yonder search -e 'fn \\w+_test' -g '*.rs'", "A regular expression, in Rust alone."],
    ["yonder search -g '*.test.ts'", "Files by name."],
  ],
  exits: [
    ["0", "something was found"],
    ["1", "nothing was found"],
  ],
  connects: true,
  async run({ arguments: [text = "", path = ""], options, connection }) {
    const { regex, ignoreCase, glob, hidden, ignored, filesOnly, max, perFile, json } = options;
    if (text === "" && (regex || filesOnly)) throw new UsageError("a text to search for is missing");
    await using workspace = await connect(connection, asUser(options.user));
    const where = argumentBytes(path);
    const { matches, truncated, unreadableFiles } = await workspace.fs.search({
      path: where,
      globs: glob,
      ...(text !== "" && (regex ? { regex: text } : { text })),
      ignoreCase,
      includeHidden: hidden,
      includeIgnored: ignored,
      maxMatches: max,
      maxMatchesPerFile: filesOnly ? 1 : perFile,
    });
    for (const match of matches) {
      const name = match.path.length === 0 ? where : joinPath(where, match.path);
      if (json) await writeJsonLine(toJson(match, name));
      else await write(Buffer.concat([...toLine(match, name, filesOnly), Buffer.from("\n")]));
    }
    if (unreadableFiles > 0) await writeError(`yonder: ${unreadableFiles} files could not be read\n`);
    if (truncated) {
      await writeError(`yonder: there may be more than these ${matches.length}: ask for more with --max-matches\n`);
    }
    return matches.length > 0 ? 0 : 1;
  },
});

function toLine({ lineNumber, line, spans }: SearchMatch, path: string | Buffer, filesOnly: boolean): Buffer[] {
  const name = nameBytes(path);
  if (lineNumber === undefined || filesOnly) return [name];
  const where = `${style("magenta", name.toString("latin1"))}:${style("green", String(lineNumber))}:`;
  return [Buffer.from(where, "latin1"), Buffer.from(marked(line, spans))];
}

/** The line with its matches in colour, on a terminal; else as it is. */
function marked(line: string, spans: SearchMatch["spans"]): string {
  if (!process.stdout.isTTY) return line;
  const bytes = Buffer.from(line);
  let [result, at] = ["", 0];
  for (const { begin, end } of spans) {
    result +=
      shown(bytes.toString("utf8", at, begin)) + style(["red", "bold"], shown(bytes.toString("utf8", begin, end)));
    at = end;
  }
  return result + shown(bytes.toString("utf8", at));
}

/** Tabs are what code is indented with. */
function shown(text: string): string {
  return text.split("\t").map(escapeControls).join("\t");
}

function toJson({ kind, lineNumber, line, lineTruncated, spans }: SearchMatch, path: string | Buffer): object {
  const content = lineNumber === undefined ? {} : { lineNumber, line, lineTruncated, spans };
  return { ...jsonName("path", path), kind, ...content };
}
