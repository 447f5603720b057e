// cli/man/yonder.1: the man page.

export function manPage({
  version,
  entries,
  optionsOf,
  exits,
  environment,
  profileFields,
  whichWorkspace,
  connectionOptions,
}) {
  return `${[
    String.raw`.\" Made by "npm run generate" of what --help is made of, in cli/src/verbs; edit it there.`,
    `.TH YONDER 1 "" "yonder ${escape(version)}" "User Commands"`,
    ".SH NAME",
    String.raw`yonder \- work in a workspace that is somewhere else, or serve one`,
    ".SH SYNOPSIS",
    String.raw`.B yonder`,
    String.raw`[\fIconnection\fR] \fIverb\fR [\fIoptions\fR] [\fIarguments\fR]`,
    ".SH DESCRIPTION",
    "A server runs inside the container that holds the code. With",
    ".B yonder",
    "commands run there, output is seen as it is printed, files move in and out, and git is read and used.",
    ".SH VERBS",
    ...entries.flatMap((entry) => verbSection(entry, optionsOf)),
    ".SH WHICH WORKSPACE",
    ...prose(whichWorkspace),
    ...items(
      Object.values(connectionOptions)
        .filter(({ hidden }) => !hidden)
        .map(({ flags, description }) => [flags, description]),
    ),
    ".SH CONFIG FILE",
    "An object with",
    ".B profiles",
    "by their names, and the name of the one that is meant where nothing says which as",
    ".BR default .",
    "The fields of a profile:",
    ...items(profileFields),
    ".SH ENVIRONMENT",
    ...items(environment),
    ".SH EXIT STATUS",
    ...items(exits),
    String.raw`.B yonder exec`,
    "and",
    String.raw`.B yonder attach`,
    "end with the command's own; other verbs say above what else they end with.",
    ".SH FILES",
    ...items([["~/.config/yonder/config.json", "The config file."]]),
  ].join("\n")}\n`;
}

function verbSection({ words, summary, verb }, optionsOf) {
  const usage = verb === undefined ? ["<verb>"] : verb.arguments.map(({ usage }) => usage);
  const options = Object.keys(optionsOf(verb)).length > 0 ? ["[options]"] : [];
  const lines = [
    `.SS "${escape(["yonder", words, ...options, ...usage].join(" ")).replaceAll('"', "")}"`,
    `${line(summary)}.`,
  ];
  if (verb === undefined) return lines;
  const own = Object.values(verb.options).filter(({ hidden }) => !hidden);
  return [
    ...lines,
    ...prose(verb.description),
    ...items([
      ...verb.arguments.map(({ usage, description }) => [usage, description]),
      ...own.map(({ flags, description }) => [flags, description]),
    ]),
    ".PP",
    verb.examples.length > 1 ? "Examples:" : "Example:",
    ...verb.examples.flatMap(([command, what]) => [
      ".PP",
      ".nf",
      ".RS 4",
      line(command),
      ".RE",
      ".fi",
      ".RS 8",
      line(what),
      ".RE",
    ]),
    ...(verb.exits ? [".PP", "Exit status:", ...items(verb.exits)] : []),
  ];
}

/** Each a paragraph of its own. */
function prose(paragraphs) {
  return paragraphs.flatMap((paragraph) => [".PP", line(paragraph)]);
}

/** A name and what it is, below it. */
function items(rows) {
  return rows.flatMap(([name, what]) => [
    ".TP",
    String.raw`.B "${escape(name).replaceAll('"', String.raw`\(dq`)}"`,
    line(what),
  ]);
}

/** A line of text: what is in backquotes is bold, and what roff would take for a request of its own is not. */
function line(text) {
  const marked = text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? String.raw`\fB${escape(part.slice(1, -1))}\fR` : escape(part)))
    .join("");
  return /^[.']/.test(marked) ? String.raw`\&${marked}` : marked;
}

function escape(text) {
  return text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("-", String.raw`\-`)
    .replaceAll("'", String.raw`\(aq`)
    .replaceAll("~", String.raw`\(ti`)
    .replaceAll("^", String.raw`\(ha`)
    .replaceAll("…", "...");
}
