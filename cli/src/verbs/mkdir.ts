import { asUser, userOption } from "../connection/as-user.ts";
import { connect } from "../connection/connect.ts";
import { argumentBytes } from "../files/argument-bytes.ts";
import { forEach } from "../files/each.ts";
import { mode } from "../files/mode.ts";
import { defineVerb, flag, value } from "../frame/verb.ts";

export const verb = defineVerb({
  description: [],
  arguments: [{ usage: "<path...>", description: "The directories to make", completes: "remote-path" }],
  options: {
    parents: flag("-p, --parents", "Make the directories on the way too; one that is there is no error"),
    mode: value("-m, --mode <octal>", "The permission bits: 700", { parse: mode }),
    user: userOption,
  },
  examples: [["yonder mkdir -p app/src/assets", "A directory with those on the way."]],
  connects: true,
  async run({ arguments: [paths], options: { parents, mode, user }, connection }) {
    await using workspace = await connect(connection, asUser(user));
    return await forEach(paths, async (path) => {
      await workspace.fs.mkdir(argumentBytes(path), { recursive: parents, mode });
    });
  },
});
