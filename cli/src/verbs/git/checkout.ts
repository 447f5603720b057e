import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { headText } from "../../git/head-text.ts";
import { repositoryOption } from "../../git/options.ts";
import { UsageError } from "../../frame/failure.ts";
import { defineVerb, flag, list, value } from "../../frame/verb.ts";
import { write, writeJsonLine } from "../../output/write.ts";

export const verb = defineVerb({
  description: [
    "Moves HEAD, and the files with it; or, with --path, brings files back and leaves HEAD where it is. Changes that are in " +
      "the way are kept, and the checkout is refused, unless --force throws them away.",
    "With --json, one object: headId (absent before the first commit) and branch (absent where HEAD is on none).",
  ],
  arguments: [{ usage: "[revision]", description: "A branch, tag or commit" }],
  options: {
    directory: repositoryOption,
    newBranch: value("-b, --new-branch <name>", "Make this branch, and move to it"),
    detach: flag("--detach", "To the commit itself, on no branch"),
    force: flag("-f, --force", "Throw away changes that are in the way"),
    paths: list("-p, --path <path>", "Bring this back, from the revision or the index; may be given several times"),
    hooks: flag("--hooks", "Run the repository's hooks"),
    json: flag("--json", "One object, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder git checkout main", "To another branch."],
    ["yonder git checkout -b fix v1.2", "A new one, from a tag."],
    ["yonder git checkout -p src/a.ts", "A file as it was staged."],
  ],
  connects: true,
  async run({ arguments: [revision], options, connection }) {
    const { directory, newBranch, detach, force, paths, hooks, json } = options;
    if (revision === undefined && newBranch === undefined && paths.length === 0) {
      throw new UsageError("checkout needs a revision, -b or --path");
    }
    await using workspace = await connect(connection, asUser(options.user));
    const where = { path: argumentBytes(directory ?? ""), hooks };
    const how = { newBranch, detach, force, ...(paths.length > 0 && { paths: paths.map(argumentBytes) }) };
    const head = await workspace.git.checkout(revision, { ...where, ...how });
    await (json ? writeJsonLine(head) : write(`HEAD is ${headText(head)}\n`));
  },
});
