import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { connectionOptions } from "../connection/options.ts";
import { catalogue } from "./catalogue.ts";
import type { Catalogue, Entry } from "./catalogue.ts";
import { exits } from "./exits.ts";
import { UsageError } from "./failure.ts";
import type { ConnectionOptions, OptionTable, Option as VerbOption, Verb } from "./verb.ts";

/** What a verb's run came to: told by the exit code. */
export type OnExit = (exitCode: number) => void;

/**
 * The command line, of the catalogue: every verb stands in it by name and summary, and gets its arguments, options and
 * help when it is called.
 */
export function createProgram(version: string, onExit: OnExit): Command {
  const program = prepared(new Command("yonder"))
    .description("Work in a workspace that is somewhere else, or serve one")
    .version(version, "-V, --version", "Show the version")
    .enablePositionalOptions()
    .addHelpText("after", programNotes);
  addOptions(program, connectionOptions, { heading: "Connection:" });
  for (const [heading, verbs] of catalogue) addVerbs(program, verbs, onExit, heading);
  return program;
}

const toFill = new WeakMap<Command, () => Promise<void>>();

function addVerbs(parent: Command, verbs: Catalogue, onExit: OnExit, heading = "Commands:"): void {
  for (const [name, entry] of Object.entries(verbs)) {
    const command = prepared(new Command(name)).summary(entry.summary).helpGroup(heading);
    parent.addCommand(command, { hidden: entry.hidden ?? false });
    if (entry.verbs) addGroup(command, entry, onExit);
    else if (entry.raw) addRaw(command, entry.raw);
    else toFill.set(command, async () => await fill(command, entry, onExit));
  }
  parent.hook("preSubcommand", async (_parent, command) => {
    await toFill.get(command)?.();
    toFill.delete(command);
  });
}

function addGroup(command: Command, { summary, verbs = {} }: Entry, onExit: OnExit): void {
  command.description(`${summary}.`);
  addVerbs(command, verbs, onExit);
}

function addRaw(command: Command, run: NonNullable<Entry["raw"]>): void {
  command
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async () => await run(command.args));
}

async function fill(command: Command, { summary, load }: Entry, onExit: OnExit): Promise<void> {
  if (!load) return;
  const { verb } = await load();
  command
    .description([`${summary}.`, ...verb.description].join("\n\n"))
    .passThroughOptions(verb.passThrough ?? false)
    .addHelpText("after", notes(verb));
  for (const { usage, description } of verb.arguments) command.addArgument(new Argument(usage, description));
  addOptions(command, verb.options);
  if (verb.connects)
    addOptions(command, connectionOptions, { heading: "Connection (`yonder --help` has more):", shown: 2 });
  command.action(async () => {
    const options = valuesOf(command, verb.options);
    const connection = { ...given(programOf(command)), ...given(command) };
    try {
      const exitCode = await verb.run({ arguments: command.processedArgs as never, options, connection });
      onExit(exitCode ?? 0);
    } catch (error) {
      if (error instanceof UsageError) error.message += seeHelp(command);
      throw error;
    }
  });
}

/** Help has the first `shown` of them, under `heading`. */
function addOptions(
  command: Command,
  options: OptionTable,
  { heading = "Options:", shown = Infinity }: { heading?: string; shown?: number } = {},
): void {
  for (const [index, option] of Object.values(options).entries()) {
    const added = new Option(option.flags, option.description).helpGroup(heading);
    if (option.hidden || index >= shown) added.hideHelp();
    if (option.kind !== "flag") added.argParser((text, previous: unknown) => parse(option, text, previous));
    command.addOption(added);
  }
}

function parse({ kind, parse, hidden }: VerbOption, text: string, previous: unknown): unknown {
  try {
    const value = parse(text);
    return kind === "list" ? [...((previous as unknown[] | undefined) ?? []), value] : value;
  } catch (error) {
    // A hidden option is there to be refused, and what was given to it may be a secret: it is not told back.
    if (error instanceof UsageError && !hidden) throw new InvalidArgumentError(`It ${error.message}.`);
    throw error;
  }
}

/** By the names of the table, whatever commander calls them. */
function valuesOf(command: Command, options: OptionTable): Record<string, unknown> {
  const entries = Object.entries(options).map(([name, { flags, kind }]) => {
    const option = new Option(flags);
    const found: unknown = command.getOptionValue(option.attributeName());
    // Commander takes "--no-clobber" for what turns "clobber" off.
    const value = option.negate ? found === false : found;
    return [name, value ?? (kind === "flag" ? false : kind === "list" ? [] : undefined)];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** Those of the connection's options that were given to this command. */
function given(command: Command): ConnectionOptions {
  const values = Object.entries(valuesOf(command, connectionOptions));
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function programOf(command: Command): Command {
  return command.parent ? programOf(command.parent) : command;
}

/** What holds for every level. */
function prepared(command: Command): Command {
  return command
    .helpOption("-h, --help", "Show this help")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`yonder: ${oneLine(text)}${seeHelp(command)}\n`),
    });
}

/** What commander says of a command line: it puts what may be meant on a line of its own. */
function oneLine(text: string): string {
  return text
    .replace(/^error: /, "")
    .replace(/\.?\n$/, "")
    .replaceAll("\n", " ");
}

function seeHelp(command: Command): string {
  return `; see \`${nameOf(command)} --help\``;
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

/** Below a verb's help. */
function notes({ examples, exits: own = [] }: Verb): string {
  return [
    "",
    "Examples:",
    ...examples.flatMap(([command, what]) => [`  $ ${command}`, `      ${what}`]),
    "",
    "Exit codes:",
    ...columns([...own, ...exits.filter(([code]) => own.every(([taken]) => taken !== code))]),
  ].join("\n");
}

const programNotes = `
Which workspace: --host, --profile, YONDER_HOST, YONDER_PROFILE, or the default of the profiles in
$XDG_CONFIG_HOME/yonder/config.json (~/.config/yonder/config.json). The key: YONDER_API_KEY_FILE, YONDER_API_KEY,
the profile, or asked for on the terminal; never on the command line, which everybody on this machine can read.

Exit codes:
${columns(exits).join("\n")}
  \`yonder exec\`, \`shell\` and \`attach\` end with the command's own.`;

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`);
}
