import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { headText } from "../../git/head-text.ts";
import { runOperation } from "../../git/operation.ts";
import { credentialsNote, readRemoteOptions, refuseSecrets, remoteOptions } from "../../git/remote-options.ts";
import { count } from "../../frame/parse.ts";
import { defineVerb, flag, value } from "../../frame/verb.ts";
import { nameText } from "../../output/names.ts";
import { write, writeJsonLine } from "../../output/write.ts";

export const verb = defineVerb({
  description: [
    "In the workspace, over its network. A cut of the connection here does not end it; Ctrl-C does, and leaves nothing behind.",
    credentialsNote,
    "With --json, one object: path, headId and branch.",
  ],
  arguments: [
    { usage: "<url>", description: "The repository" },
    { usage: "[directory]", description: "Where to; the URL's last name", completes: "remote-path" },
  ],
  options: {
    branch: value("-b, --branch <revision>", "The branch, tag or commit to check out"),
    depth: value("--depth <commits>", "So much of the history; all", { parse: count }),
    singleBranch: flag("--single-branch", "Only that branch"),
    submodules: flag("--recurse-submodules", "The submodules too"),
    ...remoteOptions,
    json: flag("--json", "One object, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder git clone https://github.com/owner/name", "A public repository."],
    [
      "YONDER_GIT_TOKEN_FILE=~/.token yonder git clone --depth 1 https://github.com/owner/private app",
      "A private one.",
    ],
  ],
  exits: [["130", "Ctrl-C ended it"]],
  connects: true,
  async run({ arguments: [url, directory], options, connection }) {
    const { branch: ref, depth, singleBranch, submodules, json } = options;
    refuseSecrets(url);
    const settings = readRemoteOptions(options);
    await using workspace = await connect(connection, asUser(options.user));
    const path = directory === undefined ? undefined : argumentBytes(directory);
    const how = { path, ref, depth, singleBranch, submodules };
    const done = await runOperation(options, settings, (more) =>
      workspace.git.cloneRepository(url, { ...how, ...more }),
    );
    if ("exitCode" in done) return done.exitCode;
    const { result } = done;
    await (json ? writeJsonLine(result) : write(`cloned into ${nameText(result.path)}, ${headText(result)}\n`));
    return 0;
  },
});
