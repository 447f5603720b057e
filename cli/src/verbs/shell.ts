import { defaultEscape, escapeOption, placed, placeOptions } from "../exec/command-options.ts";
import { commandExits } from "../exec/exit-code.ts";
import { UsageError } from "../frame/failure.ts";
import { defineVerb } from "../frame/verb.ts";

/** What runs: the user's shell, as a login shell, as ssh has it. */
const loginShell = 'shell=${SHELL:-$(command -v bash || command -v sh)}; exec "$shell" -l';

export const verb = defineVerb({
  description: [
    "The shell runs in a terminal of the workspace as large as this one; every key goes there. It is the one that SHELL " +
      "names there, else bash, else sh, as a login shell.",
    "A connection that breaks is had again, for as long as it takes, and the screen is painted as it then stands. To " +
      "leave the shell running, press Enter, then ~ and . (--escape takes another character than ~); `yonder ps` has its " +
      "id, and `yonder attach ID` comes back to it, from anywhere. Closing this terminal (SIGHUP) hangs the shell up; " +
      "SIGTERM and kill -9 of this program leave it running.",
    "This terminal is put back as it was however this program ends. Only after kill -9, which nothing can catch, it may " +
      "be left odd: most shells mend it themselves, and `reset` does in any case.",
  ],
  arguments: [],
  options: { ...placeOptions, escape: escapeOption },
  examples: [
    ["yonder shell", "A shell in the workspace's directory."],
    ["yonder shell -w app -e EDITOR=vim", "In a directory of it, with a variable set."],
    ["yonder shell --id home", "Come back to the shell of this id, or open it."],
  ],
  exits: commandExits,
  connects: true,
  async run({ options, connection }) {
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      throw new UsageError("a shell wants a terminal, and this is none; `yonder exec sh` runs what comes in by a pipe");
    }
    const { openShell } = await import("../exec/start-terminal.ts");
    return await openShell(connection, loginShell, placed(options), (options.escape ?? defaultEscape).character);
  },
});
