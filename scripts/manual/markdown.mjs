// docs/command/: a page a verb, and the tables of docs/command.md.

/** Each page by its name below docs/command/. */
export function pages({ entries, exits }) {
  return new Map(entries.map((entry) => [fileOf(entry.words), page(entry, { entries, exits })]));
}

/** The parts of docs/command.md that are generated, by the names in its markers. */
export function parts({ entries, exits, environment, profileFields, whichWorkspace, connectionOptions }) {
  const headings = [...new Set(entries.map(({ heading }) => heading))];
  return new Map([
    ["verbs", headings.map((heading) => verbTable(heading, entries)).join("\n\n")],
    ["which", paragraphs(whichWorkspace)],
    ["connection", optionTable(Object.values(connectionOptions).filter(({ hidden }) => !hidden))],
    [
      "profile",
      table(
        ["field", "what it is"],
        profileFields.map(([name, what]) => [code(name), text(what)]),
      ),
    ],
    [
      "environment",
      table(
        ["variable", "what it is"],
        environment.map(([name, what]) => [code(name), text(what)]),
      ),
    ],
    [
      "exits",
      table(
        ["exit code", "when"],
        exits.map(([number, what]) => [number, text(what)]),
      ),
    ],
  ]);
}

function verbTable(heading, entries) {
  const rows = entries
    .filter((entry) => entry.heading === heading)
    .map(({ words, summary }) => [`[${code(words)}](command/${fileOf(words)})`, text(summary)]);
  return table([heading.toLowerCase(), "what it does"], rows);
}

function page({ words, summary, verb, verbs }, { entries, exits }) {
  const head = [
    `# yonder ${words}`,
    "<!-- Made by `npm run generate` of what `--help` is made of, in cli/src/verbs; edit it there. -->",
    `${text(summary)}.`,
  ];
  if (verb === undefined) {
    const rows = verbs.map((name) => {
      const below = entries.find((entry) => entry.words === `${words} ${name}`);
      return [`[${code(below.words)}](${fileOf(below.words)})`, text(below.summary)];
    });
    return join(...head, table(["verb", "what it does"], rows));
  }
  const own = Object.values(verb.options).filter(({ hidden }) => !hidden);
  const usage = [
    "yonder",
    words,
    ...(own.length > 0 || verb.connects ? ["[options]"] : []),
    ...verb.arguments.map(({ usage }) => usage),
  ];
  const codes = [
    ...(verb.exits ?? []),
    ...exits.filter(([number]) => (verb.exits ?? []).every(([taken]) => taken !== number)),
  ];
  return join(
    ...head,
    fence([usage.join(" ")]),
    paragraphs(verb.description),
    verb.arguments.length > 0 &&
      join(
        "## Arguments",
        table(
          ["argument", "what it is"],
          verb.arguments.map(({ usage, description }) => [code(usage), text(description)]),
        ),
      ),
    own.length > 0 && join("## Options", optionTable(own)),
    verb.connects &&
      "Which workspace is meant, and how it is reached, is said [for all verbs](../command.md#which-workspace-is-meant).",
    join("## Examples", ...verb.examples.map(([command, what]) => join(text(what), fence([command])))),
    join(
      "## Exit codes",
      table(
        ["exit code", "when"],
        codes.map(([number, what]) => [number, text(what)]),
      ),
    ),
  );
}

function optionTable(options) {
  return table(
    ["option", "what it does"],
    options.map(({ flags, description }) => [code(flags), text(description)]),
  );
}

/** "git log" is git-log.md. */
export function fileOf(words) {
  return `${words.replaceAll(" ", "-")}.md`;
}

function join(...blocks) {
  return blocks.filter(Boolean).join("\n\n");
}

function paragraphs(texts) {
  return texts.map(text).join("\n\n");
}

function fence(lines) {
  return ["```", ...lines, "```"].join("\n");
}

function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function code(words) {
  return `\`${words.replaceAll("|", String.raw`\|`)}\``;
}

/** Prose as it is; what is in backquotes stays untouched, options and variables become code, and what only looks like markup is none. */
function text(words) {
  return words
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part : part.split(names).map(nameOrWords).join("")))
    .join("")
    .replaceAll("|", String.raw`\|`);
}

/** Options, variables, and paths in the home directory. */
const names = /((?<![\w-])--?[a-zA-Z][\w-]*|(?<![\w$])\$?[A-Z]+(?:_[A-Z]+)+(?:\/[\w./]*\w)?|~\/(?:[\w./]*\w)?)/;

function nameOrWords(part, index) {
  if (index % 2 === 1) return `\`${part}\``;
  return part.replaceAll(/[\\*<>[\]]|(?<!\w)_|_(?!\w)/g, String.raw`\$&`);
}
