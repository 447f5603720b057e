import type { Command } from "./options.ts";

/** A command as one line: a list of arguments as a shell would have to read it. */
export function commandLine(command: Command): string {
  return typeof command === "string" ? command : command.map(quote).join(" ");
}

/** Any text as one word of a shell. */
export function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
