import { randomUUID } from "node:crypto";
import type { Command, SpawnOptions } from "@yonder/client";
import { bounded, boundOptions, defaultEscape, escapeOption, placed, placeOptions } from "../exec/command-options.ts";
import { commandExits } from "../exec/exit-code.ts";
import { argumentBytes } from "../files/argument-bytes.ts";
import { Failure, UsageError } from "../frame/failure.ts";
import { defineVerb, flag, value } from "../frame/verb.ts";

export const verb = defineVerb({
  description: [
    "The words are a program and its arguments, run as they are: no shell reads them, and options end at the first " +
      "one. With -c, a text is run by the workspace's shell instead.",
    "Standard input goes to the command, unless -n or -d is given; what it prints comes out byte for byte, each stream " +
      "apart. Ctrl-C and other signals (TERM, HUP, QUIT, USR1, USR2) go to the command; a second one of a kind leaves. " +
      "If nobody reads the output any more, the command gets SIGPIPE.",
    "The command belongs to the workspace: it outlives a connection that breaks, which is had again, and this program, " +
      "if that is killed or left. `yonder attach` comes back to it, `yonder kill` ends it; --disconnect-grace has it " +
      "end by itself.",
  ],
  arguments: [{ usage: "[command...]", description: "The program and its arguments" }],
  options: {
    command: value("-c, --command <text>", "Run a text by the shell: bash, or sh where there is none"),
    tty: flag("-t, --tty", "Give it a terminal, and this one to it; Enter ~ . leaves it running (see `yonder shell`)"),
    detach: flag("-d, --detach", "Leave it running and print its id"),
    noStdin: flag("-n, --no-stdin", "Leave standard input alone, as in the background or in a loop that reads"),
    ...placeOptions,
    ...boundOptions,
    escape: escapeOption,
  },
  examples: [
    ["yonder exec make -j4", "Run a program, and end as it ends."],
    ["yonder exec -c 'grep -c TODO $(git ls-files)'", "Run a line of shell."],
    ["tar -c src | yonder exec -w /tmp tar -x", "Standard input, output and error are real pipes."],
    ["yonder exec -d --id dev -l role=dev npm run dev", "Leave it running; `yonder logs -f dev` watches it."],
    ["yonder exec -t htop", "A program that wants a terminal."],
  ],
  exits: commandExits,
  connects: true,
  passThrough: true,
  async run({ arguments: [words], options, connection }) {
    const command = commandOf(words, options.command);
    const common: SpawnOptions = { ...placed(options), ...bounded(options), execId: options.id ?? randomUUID() };
    const { startDetached, startPiped } = await import("../exec/start.ts");
    if (options.detach) return await startDetached(connection, command, common, options.tty);
    if (!options.tty)
      return await startPiped(connection, command, common, {
        stdin: !options.noStdin,
        mayJoin: options.id !== undefined,
      });
    const { startTerminal } = await import("../exec/start-terminal.ts");
    return await startTerminal(connection, command, common, (options.escape ?? defaultEscape).character);
  },
});

/** A command is text in the contract: what is none would run as something else than was typed. */
function mustBeText(words: readonly string[]): void {
  const odd = words.find((word) => typeof argumentBytes(word) !== "string");
  if (odd === undefined) return;
  throw new Failure(`"${odd}" is not UTF-8, as commands must be: have a shell make the bytes, as in -c "cat $'\\xff'"`);
}

function commandOf(words: readonly string[], text: string | undefined): Command {
  if (text !== undefined && words.length > 0) {
    throw new UsageError(`-c takes one text, and "${words[0]}" comes after it: put all of it into quotes`);
  }
  if (text === undefined && words.length === 0)
    throw new UsageError("there is nothing to run: give a command, or -c TEXT");
  mustBeText(text === undefined ? words : [text]);
  return text ?? words;
}
