import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { updateLine } from "../../git/head-text.ts";
import { runOperation } from "../../git/operation.ts";
import { repositoryOption } from "../../git/options.ts";
import { credentialsNote, readRemoteOptions, refuseSecrets, remoteOptions } from "../../git/remote-options.ts";
import { count } from "../../frame/parse.ts";
import { defineVerb, flag, value } from "../../frame/verb.ts";
import { write, writeJsonLine } from "../../output/write.ts";

export const verb = defineVerb({
  description: [
    "Brings a remote's branches and tags up to date in the workspace, and says what moved.",
    credentialsNote,
    "With --json, an object a branch or tag that moved: refName, oldId (absent for a new one), newId (absent for one that " +
      "was removed).",
  ],
  arguments: [
    { usage: "[remote]", description: "The one that the branch follows, or origin" },
    { usage: "[refspec...]", description: "What to fetch; as configured" },
  ],
  options: {
    directory: repositoryOption,
    prune: flag("--prune", "Remove what is not there any more"),
    tags: flag("--tags", "All tags"),
    depth: value("--depth <commits>", "Cut the history to so much", { parse: count }),
    unshallow: flag("--unshallow", "Bring the whole history"),
    ...remoteOptions,
    json: flag("--json", "An object a branch or tag, for programs"),
    user: userOption,
  },
  examples: [["yonder git fetch --prune", "All that is new."]],
  exits: [["130", "Ctrl-C ended it"]],
  connects: true,
  async run({ arguments: [remote, refspecs], options, connection }) {
    const { directory, prune, tags, depth, unshallow, json } = options;
    refuseSecrets(remote ?? "");
    const settings = readRemoteOptions(options);
    await using workspace = await connect(connection, asUser(options.user));
    const how = { path: argumentBytes(directory ?? ""), remote, refspecs, prune, tags, depth, unshallow };
    const done = await runOperation(options, settings, (more) => workspace.git.fetch({ ...how, ...more }));
    if ("exitCode" in done) return done.exitCode;
    for (const update of done.result) await (json ? writeJsonLine(update) : write(updateLine(update)));
    return 0;
  },
});
