import type { GitFileState, GitStatus, GitStatusEntry } from "@yonder/client";
import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { defineVerb, flag } from "../../frame/verb.ts";
import { jsonName, nameBytes, shownText } from "../../output/names.ts";
import { style } from "../../output/style.ts";
import { write, writeJsonLine } from "../../output/write.ts";

export const verb = defineVerb({
  description: [
    "As `git status --short --branch`: the branch, then a line a path, whose first letter says what differs between HEAD " +
      "and the index, and the second what differs between the index and the disk.",
    "With --json, one object: branch (absent where HEAD is on none), headId, upstream, ahead, behind, underway (MERGE, " +
      "REBASE, CHERRY_PICK, REVERT, BISECT), topLevel, and entries: path, indexState, worktreeState (UNMODIFIED, ADDED, " +
      "DELETED, MODIFIED, RENAMED, TYPE_CHANGED, UNTRACKED, IGNORED), oldPath, conflicted. A name that is not UTF-8 is " +
      "also in pathBase64.",
  ],
  arguments: [
    { usage: "[path]", description: "A directory of the repository; the workspace's", completes: "remote-path" },
  ],
  options: {
    ignored: flag("--ignored", "Ignored files too"),
    json: flag("--json", "One object, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder git status", "How the workspace's repository stands."],
    ["yonder git status --json app | jq .branch", "The branch of another one."],
  ],
  connects: true,
  async run({ arguments: [path = ""], options: { ignored, json, user }, connection }) {
    await using workspace = await connect(connection, asUser(user));
    const status = await workspace.git.status(argumentBytes(path), { ignored });
    if (json) return await writeJsonLine(toJson(status));
    await write(`## ${headLine(status)}\n`);
    for (const entry of status.entries) await write(entryLine(entry));
  },
});

function headLine({ branch, headId, upstream, ahead, behind, underway }: GitStatus): string {
  const name =
    branch === undefined
      ? style("red", `HEAD (no branch) at ${headId?.slice(0, 7) ?? "nothing"}`)
      : style("green", shownText(branch));
  const born = headId === undefined ? "No commits yet on " : "";
  const follows = upstream === undefined ? "" : `...${style("red", shownText(upstream))}`;
  const apart = [
    ahead > 0 ? `ahead ${style("green", String(ahead))}` : "",
    behind > 0 ? `behind ${style("red", String(behind))}` : "",
  ];
  const counts = apart.filter((text) => text !== "").join(", ");
  const doing = underway === undefined ? "" : ` (in the middle of a ${underway.toLowerCase().replace("_", "-")})`;
  return `${born}${name}${follows}${counts === "" ? "" : ` [${counts}]`}${doing}`;
}

function entryLine({ path, rawPath, indexState, worktreeState, oldPath, conflicted }: GitStatusEntry): Buffer {
  const isNew = worktreeState === "UNTRACKED" || worktreeState === "IGNORED";
  const [first, second] = isNew
    ? [letters[worktreeState], letters[worktreeState]]
    : [letters[indexState], letters[worktreeState]];
  const signs = conflicted
    ? style("red", first === " " && second === " " ? "UU" : first + second)
    : style(isNew ? "red" : "green", first) + style("red", second);
  const before = oldPath === undefined ? [] : [nameBytes(oldPath), Buffer.from(" -> ")];
  return Buffer.concat([Buffer.from(`${signs} `), ...before, nameBytes(rawPath ?? path), Buffer.from("\n")]);
}

function toJson({ entries, ...status }: GitStatus): object {
  return {
    ...status,
    entries: entries.map(({ path, rawPath, ...entry }) => ({ ...jsonName("path", rawPath ?? path), ...entry })),
  };
}

const letters: Readonly<Record<GitFileState, string>> = {
  UNMODIFIED: " ",
  ADDED: "A",
  DELETED: "D",
  MODIFIED: "M",
  RENAMED: "R",
  TYPE_CHANGED: "T",
  UNTRACKED: "?",
  IGNORED: "!",
};
