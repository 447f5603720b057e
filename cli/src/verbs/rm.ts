import { asUser, userOption } from "../connection/as-user.ts";
import { connect } from "../connection/connect.ts";
import { argumentBytes } from "../files/argument-bytes.ts";
import { forEach } from "../files/each.ts";
import { saysDirectory } from "../files/operand.ts";
import { Failure, isYonderError, UsageError } from "../frame/failure.ts";
import { defineVerb, flag } from "../frame/verb.ts";
import { nameText } from "../output/names.ts";

export const verb = defineVerb({
  description: ["Symbolic links are removed themselves, not what they lead to. There is no way back."],
  arguments: [{ usage: "<path...>", description: "What to remove", completes: "remote-path" }],
  options: {
    recursive: flag("-r, --recursive", "Directories with all that is in them; without it only empty ones"),
    force: flag("-f, --force", "What is not there is no error"),
    user: userOption,
  },
  examples: [
    ["yonder rm notes.txt", "One file."],
    ["yonder rm -rf build dist", "Two trees, if they are there."],
  ],
  connects: true,
  async run({ arguments: [paths], options: { recursive, force, user }, connection }) {
    for (const path of paths) {
      // "dir/" is a directory; ".", ".." and "/" are never meant.
      if (saysDirectory(path.replace(/([^/])\/+$/, "$1"))) {
        throw new UsageError(`"${nameText(path)}" is not removed: name what is to go by its name`);
      }
    }
    await using workspace = await connect(connection, asUser(user));
    return await forEach(paths, async (path) => {
      await workspace.fs.rm(argumentBytes(path), { recursive, force }).catch((error: unknown) => {
        const isFull = isYonderError(error) && error.reason === "DIRECTORY_NOT_EMPTY";
        throw isFull
          ? Object.assign(new Failure(`${error.message}; -r removes what is in it, too`), { code: "ENOTEMPTY" })
          : error;
      });
    });
  },
});
