import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { headText } from "../../git/head-text.ts";
import { runOperation } from "../../git/operation.ts";
import { repositoryOption } from "../../git/options.ts";
import { credentialsNote, readRemoteOptions, refuseSecrets, remoteOptions } from "../../git/remote-options.ts";
import { UsageError } from "../../frame/failure.ts";
import { defineVerb, flag } from "../../frame/verb.ts";
import { write, writeJsonLine } from "../../output/write.ts";

export const verb = defineVerb({
  description: [
    "Fetches, and brings the current branch up to date. Where both sides have commits it changes nothing and says so, unless " +
      "--merge or --rebase says what to do.",
    credentialsNote,
    "With --json, one object: headId, branch, and oldHeadId, where HEAD was before.",
  ],
  arguments: [
    { usage: "[remote]", description: "The one that the branch follows" },
    { usage: "[branch]", description: "The remote's branch; the one that ours follows" },
  ],
  options: {
    directory: repositoryOption,
    merge: flag("--merge", "Merge where both sides have commits"),
    rebase: flag("--rebase", "Put our commits on top of theirs"),
    ...remoteOptions,
    json: flag("--json", "One object, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder git pull", "What the branch follows."],
    ["yonder git pull --rebase origin main", "Our commits on top of main."],
  ],
  exits: [["130", "Ctrl-C ended it"]],
  connects: true,
  async run({ arguments: [remote, branch], options, connection }) {
    const { directory, merge, rebase, json } = options;
    if (merge && rebase) throw new UsageError("--merge and --rebase: one of them");
    refuseSecrets(remote ?? "");
    const settings = readRemoteOptions(options);
    await using workspace = await connect(connection, asUser(options.user));
    const strategy = merge ? "merge" : rebase ? "rebase" : "ff-only";
    const how = { path: argumentBytes(directory ?? ""), remote, branch, strategy } as const;
    const done = await runOperation(options, settings, (more) => workspace.git.pull({ ...how, ...more }));
    if ("exitCode" in done) return done.exitCode;
    const { result } = done;
    const isSame = result.headId === result.oldHeadId;
    const line = isSame
      ? "already up to date"
      : `was at ${result.oldHeadId?.slice(0, 7) ?? "nothing"}, is ${headText(result)}`;
    await (json ? writeJsonLine(result) : write(`${line}\n`));
    return 0;
  },
});
