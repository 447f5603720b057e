import { defaultEscape, escapeOption } from "../exec/command-options.ts";
import { commandExits } from "../exec/exit-code.ts";
import { UsageError } from "../frame/failure.ts";
import { size, whole } from "../frame/parse.ts";
import { defineVerb, flag, value } from "../frame/verb.ts";

export const verb = defineVerb({
  description: [
    "What the command has printed is printed again from its first byte, or from where an option says, then what it " +
      "prints from now on; standard input and signals go to it, and this ends as it ends: all as with `yonder exec`.",
    "A command in a terminal is shown on this one, its screen first, all as with `yonder shell`: Enter ~ . leaves it. " +
      "Where this is no terminal, or an option says where to begin, its bytes are printed as they are.",
    "To look on without taking part, `yonder logs -f` is safer: Ctrl-C there ends nothing.",
  ],
  arguments: [{ usage: "<id>", description: "The command's id, as `yonder ps` has it", completes: "exec-id" }],
  options: {
    cursor: value("--cursor <n>", "Begin at this byte, counted over both streams", { parse: whole }),
    tail: value("--tail <size>", "Begin so many bytes before the newest one", { parse: size }),
    live: flag("--live", "Begin with what it prints next"),
    noStdin: flag("-n, --no-stdin", "Leave standard input alone"),
    escape: escapeOption,
  },
  examples: [
    ["yonder attach dev", "All that it has printed, and on."],
    ["yonder attach --live dev", "Only what it prints from now on."],
  ],
  exits: commandExits,
  connects: true,
  async run({ arguments: [id], options, connection }) {
    const { cursor, tail, live, noStdin, escape } = options;
    const from = { cursor, tail, live: live || undefined };
    if (Object.values(from).filter((each) => each !== undefined).length > 1) {
      throw new UsageError("--cursor, --tail and --live each say where to begin: give one of them");
    }
    const { attach } = await import("../exec/attach.ts");
    return await attach(connection, id, { from, stdin: !noStdin, escape: (escape ?? defaultEscape).character });
  },
});
