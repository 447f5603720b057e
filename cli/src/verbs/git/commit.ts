import { readFileSync } from "node:fs";
import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { repositoryOption } from "../../git/options.ts";
import { UsageError } from "../../frame/failure.ts";
import { defineVerb, flag, list, value } from "../../frame/verb.ts";
import { shownText } from "../../output/names.ts";
import { style } from "../../output/style.ts";
import { write, writeJsonLine } from "../../output/write.ts";

export const verb = defineVerb({
  description: [
    "Commits what is staged, and before that stages the paths that are named, or everything with --all.",
    "With --json, one object: sha, shortSha, subject, body, author, authorEmail, authorTime, committer, committerEmail, " +
      "timestamp, parents.",
  ],
  arguments: [{ usage: "[path...]", description: "Stage these first; relative to -C", completes: "remote-path" }],
  options: {
    directory: repositoryOption,
    message: list("-m, --message <text>", "The message; further ones are paragraphs of it"),
    file: value("-F, --file <file>", "The message, from a file here; - for standard input", {
      completes: "local-path",
    }),
    all: flag("-a, --all", "Stage everything first, new files too"),
    amend: flag("--amend", "Take the place of the last commit; without a message, with its own"),
    allowEmpty: flag("--allow-empty", "Commit even where nothing changed"),
    author: value("--author <author>", "Name <email>; else as git is configured in the workspace", { parse: person }),
    hooks: flag("--hooks", "Run the repository's hooks"),
    json: flag("--json", "One object, for programs"),
    user: userOption,
  },
  examples: [
    ['yonder git commit -a -m "Say why"', "All that has changed."],
    ["yonder git commit -F message.txt src/a.ts", "One file, with a message from a file."],
  ],
  connects: true,
  async run({ arguments: [paths], options, connection }) {
    const { directory, file, all, amend, allowEmpty, author, hooks, json } = options;
    if (options.message.length > 0 && file !== undefined) throw new UsageError("-m and -F both give the message");
    if (options.message.length === 0 && file === undefined && !amend) {
      throw new UsageError("a commit needs a message: give -m TEXT or -F FILE");
    }
    const message = file === undefined ? options.message.join("\n\n") : readFileSync(file === "-" ? 0 : file, "utf8");
    await using workspace = await connect(connection, asUser(options.user));
    const what = { paths: paths.map(argumentBytes), all, amend, allowEmpty, author, hooks };
    const commit = await workspace.git.commit(message, { path: argumentBytes(directory ?? ""), ...what });
    if (json) await writeJsonLine(commit);
    else await write(`${style("yellow", commit.shortSha)} ${shownText(commit.subject)}\n`);
  },
});

function person(text: string): { name: string; email: string } {
  const [, name, email] = /^\s*(\S.*?)\s*<([^<>]+)>\s*$/.exec(text) ?? [];
  if (name === undefined || email === undefined) throw new UsageError("must be NAME <EMAIL>");
  return { name, email };
}
