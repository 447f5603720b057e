import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { updateLine } from "../../git/head-text.ts";
import { runOperation } from "../../git/operation.ts";
import { repositoryOption } from "../../git/options.ts";
import { credentialsNote, readRemoteOptions, refuseSecrets, remoteOptions } from "../../git/remote-options.ts";
import { UsageError } from "../../frame/failure.ts";
import { defineVerb, flag } from "../../frame/verb.ts";
import { write, writeError, writeJsonLine } from "../../output/write.ts";

export const verb = defineVerb({
  description: [
    "Brings a remote's branches up to date with those of the workspace, and says what moved there.",
    credentialsNote,
    "With --json, an object a branch or tag that moved: refName, oldId (absent for a new one), newId (absent for one that " +
      "was removed).",
  ],
  arguments: [
    { usage: "[remote]", description: "The one that the branch follows, or origin" },
    { usage: "[refspec...]", description: "What to push; the current branch" },
  ],
  options: {
    directory: repositoryOption,
    setUpstream: flag("-u, --set-upstream", "Let the pushed branches follow the remote's from now on"),
    tags: flag("--tags", "All tags"),
    forceWithLease: flag("--force-with-lease", "Overwrite what was last seen there, and nothing else"),
    force: flag("-f, --force", "Overwrite whatever is there"),
    ...remoteOptions,
    json: flag("--json", "An object a branch or tag, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder git push", "The current branch."],
    ["yonder git push -u origin fix", "A new one."],
  ],
  exits: [["130", "Ctrl-C ended it"]],
  connects: true,
  async run({ arguments: [remote, refspecs], options, connection }) {
    const { directory, setUpstream, tags, forceWithLease, json } = options;
    if (options.force && forceWithLease) throw new UsageError("--force and --force-with-lease: one of them");
    refuseSecrets(remote ?? "");
    const settings = readRemoteOptions(options);
    await using workspace = await connect(connection, asUser(options.user));
    const force = options.force ? "always" : forceWithLease ? "with-lease" : undefined;
    const how = { path: argumentBytes(directory ?? ""), remote, refspecs, setUpstream, tags, force } as const;
    const done = await runOperation(options, settings, (more) => workspace.git.push({ ...how, ...more }));
    if ("exitCode" in done) return done.exitCode;
    for (const update of done.result) await (json ? writeJsonLine(update) : write(updateLine(update)));
    if (done.result.length === 0 && !json && !options.quiet) await writeError("everything is up to date\n");
    return 0;
  },
});
