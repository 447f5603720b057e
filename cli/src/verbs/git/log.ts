import type { GitCommit } from "@yonder/client";
import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { repositoryOption } from "../../git/options.ts";
import { count } from "../../frame/parse.ts";
import { defineVerb, flag, value } from "../../frame/verb.ts";
import { shownText } from "../../output/names.ts";
import { openPager } from "../../output/pager.ts";
import { style } from "../../output/style.ts";

export const verb = defineVerb({
  description: [
    "Newest first, as `git log` prints them, on a terminal by its pager (GIT_PAGER, PAGER, less).",
    "With --json, an object a commit: sha, shortSha, subject, body, author, authorEmail, authorTime, committer, " +
      "committerEmail, timestamp (of the committing), parents.",
  ],
  arguments: [
    { usage: "[revision]", description: "Where to begin, or a range such as v1..main; HEAD" },
    { usage: "[path]", description: "Only commits that changed this file or directory", completes: "remote-path" },
  ],
  options: {
    directory: repositoryOption,
    max: value("-n, --max-count <count>", "So many at most; 100", { parse: count }),
    oneline: flag("--oneline", "A line a commit"),
    noPager: flag("-P, --no-pager", "Print at once"),
    json: flag("--json", "An object a commit, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder git log -n 10 --oneline", "The last ten."],
    ["yonder git log main..HEAD src", "What this branch did in a directory."],
  ],
  connects: true,
  async run({ arguments: [revision, path], options, connection }) {
    const { directory, max, oneline, noPager, json } = options;
    await using workspace = await connect(connection, asUser(options.user));
    const changed = path === undefined ? undefined : argumentBytes(path);
    const commits = await workspace.git.commits(argumentBytes(directory ?? ""), { ref: revision, changed, limit: max });
    const out = await openPager(!noPager && !json);
    for (const [index, commit] of commits.entries()) {
      if (json) await out.write(`${JSON.stringify(commit)}\n`);
      else if (oneline) await out.write(`${style("yellow", commit.shortSha)} ${shownText(commit.subject)}\n`);
      else await out.write(`${index === 0 ? "" : "\n"}${wholeText(commit)}`);
    }
    await out.end();
  },
});

function wholeText({ sha, parents, author, authorEmail, authorTime, subject, body }: GitCommit): string {
  const merge = parents.length > 1 ? [`Merge: ${parents.map((parent) => parent.slice(0, 7)).join(" ")}`] : [];
  const message = body === "" ? [subject] : [subject, "", ...body.replace(/\n+$/, "").split("\n")];
  const lines = [
    style("yellow", `commit ${sha}`),
    ...merge,
    `Author: ${shownText(`${author} <${authorEmail}>`)}`,
    `Date:   ${timeText(authorTime)}`,
    "",
    ...message.map((line) => `    ${line.split("\t").map(shownText).join("\t")}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** As git has it, in this machine's time zone: "Sat Nov 21 23:54:41 2026 +0000". */
function timeText(time: Date): string {
  const [day = "", month = "", date = "", year = "", clock = "", zone = ""] = time.toString().split(" ");
  return `${day} ${month} ${Number(date)} ${clock} ${year} ${zone.replace("GMT", "")}`;
}
