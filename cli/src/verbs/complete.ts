import type { FoundKind } from "../completion/candidates.ts";
import { duration } from "../frame/parse.ts";
import { defineVerb } from "../frame/verb.ts";
import { write } from "../output/write.ts";

/** What the scripts of `yonder completion` ask: the words that may stand where one was begun, a line each. */
export const verb = defineVerb({
  description: ["For the scripts of `yonder completion`."],
  arguments: [
    { usage: "<kind>", description: "What is looked for" },
    { usage: "[word]", description: "What was typed of it" },
  ],
  options: {},
  examples: [["yonder __complete exec-id -- de", "The ids that begin so."]],
  connects: true,
  async run({ arguments: [kind, word = ""], connection }) {
    try {
      const patienceMs = duration(process.env["YONDER_COMPLETION_TIMEOUT"] || "2s");
      // The shell waits for it, with the terminal.
      setTimeout(() => process.exit(0), patienceMs).unref();
      const { candidates } = await import("../completion/candidates.ts");
      const found = await candidates(kind as FoundKind, { word, connection, patienceMs });
      for (const each of found) await write(`${each}\n`);
    } catch {
      // Who presses Tab wants words; errors come when the line is run.
    }
  },
});
