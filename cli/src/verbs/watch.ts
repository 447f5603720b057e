import type { WatchEvent } from "@yonder/client";
import { asUser, userOption } from "../connection/as-user.ts";
import { connect } from "../connection/connect.ts";
import { argumentBytes } from "../files/argument-bytes.ts";
import { defineVerb, flag, list } from "../frame/verb.ts";
import { escapeControls } from "../output/escape.ts";
import { jsonName, nameBytes, nameText } from "../output/names.ts";
import { write, writeError, writeJsonLine } from "../output/write.ts";

export const verb = defineVerb({
  description: [
    "A line a change, until Ctrl-C: created, modified, removed or renamed, then the path, relative to what is watched " +
      '("." for itself). A line with resync says that changes may have been missed: look at everything again. Cuts of ' +
      "the connection are gone over.",
    "With --json, an object a line: type (ready once it is watched, created, modified, removed, renamed, resync), path, " +
      "oldPath with renamed, kind (REGULAR, DIRECTORY, SYMLINK …), cause with resync. A name that is not UTF-8 is also " +
      "in pathBase64.",
  ],
  arguments: [
    { usage: "[path]", description: "A directory or a file; the workspace's directory", completes: "remote-path" },
  ],
  options: {
    recursive: flag("-r, --recursive", "The whole tree"),
    exclude: list("-x, --exclude <pattern>", "Leave out what matches, as in a .gitignore; may be given several times"),
    gitignore: flag("--gitignore", "Leave out what .gitignore files say, and .git"),
    once: flag("--once", "End after the first change"),
    json: flag("--json", "An object a line, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder watch -r --gitignore", "All that changes in the workspace."],
    ["while yonder watch -r --once src; do yonder exec make; done", "Build at every change."],
  ],
  connects: true,
  async run({ arguments: [path = ""], options, connection }) {
    const { recursive, exclude, gitignore, once, json } = options;
    await using workspace = await connect(connection, asUser(options.user));
    const onReady = (): void => {
      if (json) void writeJsonLine({ type: "ready" });
      else if (process.stderr.isTTY) void writeError(`watching ${nameText(path || workspace.workingDir)}\n`);
    };
    const events = workspace.fs.watch(argumentBytes(path), { recursive, exclude, gitignore, onReady });
    for await (const event of events) {
      await (json ? writeJsonLine(toJson(event)) : write(toLine(event)));
      if (once) break;
    }
  },
});

function toLine(event: WatchEvent): Buffer {
  if (event.type === "resync") return Buffer.from(`resync ${escapeControls(event.cause)}\n`);
  const path = named(event.path);
  const paths = event.type === "renamed" ? [named(event.oldPath), Buffer.from(" -> "), path] : [path];
  return Buffer.concat([Buffer.from(`${event.type} `), ...paths, Buffer.from("\n")]);
}

function named(path: string | Buffer): Buffer {
  return nameBytes(path.length === 0 ? "." : path);
}

function toJson(event: WatchEvent): object {
  if (event.type === "resync") return event;
  const { type, kind } = event;
  const old = event.type === "renamed" ? jsonName("oldPath", event.oldPath) : {};
  return { type, ...jsonName("path", event.path), ...old, kind };
}
