import { asUser, userOption } from "../connection/as-user.ts";
import { connect } from "../connection/connect.ts";
import { argumentBytes } from "../files/argument-bytes.ts";
import { forEach } from "../files/each.ts";
import { isDirectoryThere, joinPath, lastName, saysDirectory } from "../files/operand.ts";
import { Failure, UsageError } from "../frame/failure.ts";
import { defineVerb, flag } from "../frame/verb.ts";
import { nameText } from "../output/names.ts";

export const verb = defineVerb({
  description: [
    "Within the workspace, over its file systems too. Where the target is a directory, and for several sources, they go " +
      "into it under their own names. Directories that are missing on the way are made. A file that has the name is " +
      "replaced.",
  ],
  arguments: [{ usage: "<path...>", description: "The sources, then the target", completes: "remote-path" }],
  options: { noClobber: flag("-n, --no-clobber", "Replace nothing: what has the name is an error"), user: userOption },
  examples: [
    ["yonder mv draft.md report.md", "Another name."],
    ["yonder mv a.log b.log logs/", "Two files into a directory."],
  ],
  connects: true,
  async run({ arguments: [paths], options: { noClobber, user }, connection }) {
    const all = paths.map(argumentBytes);
    const [sources, target] = [all.slice(0, -1), all.at(-1)];
    if (target === undefined || sources.length === 0) throw new UsageError("mv needs a source and a target");
    await using workspace = await connect(connection, asUser(user));
    const isInto = saysDirectory(target) || (await isDirectoryThere(workspace, target));
    if (!isInto && sources.length > 1) {
      throw new Failure(`${nameText(target)} is no directory: several sources go into one`);
    }
    return await forEach(sources, async (source) => {
      const to = isInto ? joinPath(target, lastName(source)) : target;
      await workspace.fs.rename(source, to, { ifAbsent: noClobber });
    });
  },
});
