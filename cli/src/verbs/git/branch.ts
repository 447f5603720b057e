import type { GitBranch } from "@yonder/client";
import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { repositoryOption } from "../../git/options.ts";
import { defineVerb, flag } from "../../frame/verb.ts";
import { shownText } from "../../output/names.ts";
import { style } from "../../output/style.ts";
import { widthOf } from "../../output/table.ts";
import { write, writeJsonLine } from "../../output/write.ts";

export const verb = defineVerb({
  description: [
    "Sorted by name, the current one with a star. `yonder git checkout -b NAME` makes one.",
    "With --json, an object a branch: name, refName, sha, subject and timestamp of its commit, current, remote, upstream " +
      "(absent where it follows none), upstreamGone, ahead, behind.",
  ],
  arguments: [],
  options: {
    directory: repositoryOption,
    all: flag("-a, --all", "Those of the remotes, as last seen there, too"),
    verbose: flag("-v, --verbose", "Commit, upstream and subject too"),
    json: flag("--json", "An object a branch, for programs"),
    user: userOption,
  },
  examples: [["yonder git branch -av", "All of them."]],
  connects: true,
  async run({ options: { directory, all, verbose, json, user }, connection }) {
    await using workspace = await connect(connection, asUser(user));
    const branches = await workspace.git.branches(argumentBytes(directory ?? ""), { remote: all });
    const width = branches.reduce((most, { name }) => Math.max(most, widthOf(shownText(name))), 0);
    for (const branch of branches) {
      await (json ? writeJsonLine(branch) : write(`${lineOf(branch, verbose ? width : undefined)}\n`));
    }
  },
});

function lineOf(
  { name, current, remote, sha, upstream, upstreamGone, ahead, behind, subject }: GitBranch,
  width: number | undefined,
): string {
  const shown = shownText(name);
  const coloured = current ? style("green", shown) : remote ? style("red", shown) : shown;
  const start = `${current ? "*" : " "} ${coloured}`;
  if (width === undefined) return start;
  const apart = [upstreamGone ? "gone" : "", ahead > 0 ? `ahead ${ahead}` : "", behind > 0 ? `behind ${behind}` : ""];
  const counts = apart.filter((text) => text !== "").join(", ");
  const follows =
    upstream === undefined ? "" : ` [${style("blue", shownText(upstream))}${counts === "" ? "" : `: ${counts}`}]`;
  return `${start}${" ".repeat(width - widthOf(shown))} ${sha.slice(0, 7)}${follows} ${shownText(subject)}`;
}
