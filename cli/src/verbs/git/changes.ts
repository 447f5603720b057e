import type { GitChange } from "@yonder/client";
import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { changeJson, changeLine } from "../../git/change-lines.ts";
import { defineVerb, flag, value } from "../../frame/verb.ts";
import { write, writeJsonLine } from "../../output/write.ts";

export const verb = defineVerb({
  description: [
    "Every path below a directory that differs from the base, new files and nested repositories included: M for changed, A " +
      "added, D deleted, R renamed, ? not tracked, U in conflict. The base is --base, or else chosen: what origin has of " +
      "the branch, where it left origin's default branch, or HEAD.",
    "With --json, an object a path: status (MOVED, ADDED, DELETED, UPDATED), path, oldPath with MOVED, untracked, " +
      "conflicted. A name that is not UTF-8 is also in pathBase64.",
  ],
  arguments: [{ usage: "[path]", description: "A directory; the workspace's", completes: "remote-path" }],
  options: {
    base: value("-b, --base <revision>", "Compare with this branch, tag or commit"),
    commit: value("-c, --commit <revision>", "What this commit changed, instead of what differs on disk"),
    flat: flag("--no-nested", "Leave out nested repositories"),
    exitCode: flag("--exit-code", "End with 1 where there are changes"),
    json: flag("--json", "An object a path, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder git changes", "What an agent has done here."],
    ["yonder git changes --base v1.2 app", "What differs from a tag below a directory."],
  ],
  exits: [["1", "with --exit-code: there are changes"]],
  connects: true,
  async run({ arguments: [path = ""], options: { base, commit, flat, exitCode, json, user }, connection }) {
    await using workspace = await connect(connection, asUser(user));
    const changes: GitChange[] = await workspace.gitChanges(argumentBytes(path), { ref: base, commit, nested: !flat });
    for (const change of changes) await (json ? writeJsonLine(changeJson(change)) : write(changeLine(change)));
    return exitCode && changes.length > 0 ? 1 : 0;
  },
});
