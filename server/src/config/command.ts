import { Command, Option } from "commander";
import { limitSettings } from "./limit-settings.ts";
import { entries, readSettings } from "./read-settings.ts";
import type { Environment, GivenSettings } from "./read-settings.ts";
import { keyVariables, variableOf } from "./settings.ts";
import type { SettingKey } from "./settings.ts";
import type { Setting } from "./setting.ts";

/** The command line of `yonder serve`, made from the table of settings. `run` gets what was set. */
export function createServeCommand(environment: Environment, run: (given: GivenSettings) => Promise<void>): Command {
  const flags: { [K in SettingKey]?: string[] } = {};
  const command = new Command("yonder serve")
    .description("Serve a workspace: run commands in it for clients elsewhere")
    .helpOption("-h, --help", "Show this help")
    .configureHelp({ optionDescription: (option) => option.description })
    .addHelpText("after", notes)
    .configureOutput({
      outputError: (text, write) => write(`yonder serve: ${oneLine(text)}; see \`yonder serve --help\`\n`),
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : misconfigured))
    .action(async () => await run(readSettings(flags, environment)));
  for (const [key, setting] of entries()) {
    const option = new Option(usage(setting), describe(setting));
    command.addOption(key in limitSettings ? option.helpGroup("Limits:") : option);
    command.on(`option:${option.name()}`, (value: string | null) => {
      const texts = (flags[key] ??= []);
      if (!setting.isList) texts.length = 0;
      texts.push(value ?? "true");
    });
  }
  return command;
}

/** What commander says of a command line: it puts what may be meant on a line of its own. */
function oneLine(text: string): string {
  return text
    .replace(/^error: /, "")
    .replace(/\.?\n$/, "")
    .replaceAll("\n", " ");
}

function usage({ flag, placeholder }: Setting<unknown>): string {
  return placeholder === undefined ? `--${flag}` : `--${flag} <${placeholder}>`;
}

function describe({ help, range, defaultText }: Setting<unknown>): string {
  const facts = [
    ...(range === undefined ? [] : [range]),
    ...(defaultText === undefined ? [] : [`default ${defaultText}`]),
  ];
  return facts.length === 0 ? `${help}.` : `${help} (${facts.join("; ")}).`;
}

/** The exit code for wrong usage, as shells have it. */
export const misconfigured = 2;

const notes = `
Each flag has a twin in the environment: ${variableOf({ flag: "drain-timeout" })} for --drain-timeout. The flag goes first.
Keys can also be given as ${keyVariables[0]}, with commas between several; there is no flag for them.`;
