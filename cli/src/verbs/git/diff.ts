import type { GitDiff, Workspace } from "@yonder/client";
import { asUser, userOption } from "../../connection/as-user.ts";
import { connect } from "../../connection/connect.ts";
import { argumentBytes } from "../../files/argument-bytes.ts";
import { isDirectoryThere, joinPath } from "../../files/operand.ts";
import { count, oneOf } from "../../frame/parse.ts";
import { defineVerb, flag, value } from "../../frame/verb.ts";
import { jsonName, nameText } from "../../output/names.ts";
import type { Name } from "../../output/names.ts";
import { openPager } from "../../output/pager.ts";
import { writeError } from "../../output/write.ts";

export const verb = defineVerb({
  description: [
    "The unified diff of every path that `yonder git changes` lists, as git writes it: `git apply` takes it. On a terminal " +
      "in git's colours and by git's pager (GIT_PAGER, PAGER, less).",
    "With --json, an object a file: status (MOVED, ADDED, DELETED, UPDATED, UNCHANGED), path, oldPath with MOVED, binary, " +
      "untracked, truncated, originalSize and modifiedSize (null where there is no file), hunks (originalStart, " +
      "originalLines, modifiedStart, modifiedLines) and diff. A name that is not UTF-8 is also in pathBase64.",
  ],
  arguments: [
    { usage: "[path...]", description: "Directories and files; the workspace's directory", completes: "remote-path" },
  ],
  options: {
    base: value("-b, --base <revision>", "Compare with this branch, tag or commit"),
    commit: value("-c, --commit <revision>", "What this commit changed, instead of what differs on disk"),
    unified: value("-U, --unified <lines>", "So many lines around each change; 3", { parse: count }),
    nameOnly: flag("--name-only", "Only the paths"),
    color: value("--color <when>", "always, never or auto: on a terminal", {
      parse: oneOf(["always", "never", "auto"]),
      completes: ["always", "never", "auto"],
    }),
    noPager: flag("-P, --no-pager", "Print at once"),
    exitCode: flag("--exit-code", "End with 1 where there are changes"),
    json: flag("--json", "An object a file, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder git diff", "All that has changed."],
    ["yonder git diff --base HEAD src > work.patch", "A patch of what is not committed."],
    ["yonder git diff -c HEAD", "What the last commit changed."],
  ],
  exits: [["1", "with --exit-code: there are changes"]],
  connects: true,
  async run({ arguments: [paths], options, connection }) {
    const { base: ref, commit, unified: contextLines, nameOnly, noPager, exitCode, json } = options;
    const isColoured = options.color === "always" || (options.color !== "never" && coloursShow());
    await using workspace = await connect(connection, asUser(options.user));
    const operands = paths.length === 0 ? [""] : paths.map(argumentBytes);
    const out = await openPager(!noPager && !json);
    let isAny = false;
    for (const operand of operands) {
      const names = await changedBelow(workspace, operand, { ref, commit });
      const diff = (name: Name) => workspace.gitDiff(name, { ref, commit, contextLines });
      for await (const { name, result } of ahead(names, nameOnly ? undefined : diff)) {
        if (result?.status === "UNCHANGED") continue;
        isAny = true;
        if (result === undefined) await out.write(Buffer.concat([Buffer.from(name as string), Buffer.from("\n")]));
        else if (json) await out.write(`${JSON.stringify(toJson(name, result))}\n`);
        else await out.write(await shown(name, result, isColoured));
      }
    }
    await out.end();
    return exitCode && isAny ? 1 : 0;
  },
});

/** Whether a terminal shows colours, and whoever sits there wants them. */
function coloursShow(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
}

/** The paths that have changed at or below one. */
async function changedBelow(
  workspace: Workspace,
  path: Name,
  options: { ref: string | undefined; commit: string | undefined },
): Promise<Name[]> {
  // One that is gone, or a file, is asked for by itself.
  if (path.length > 0 && !(await isDirectoryThere(workspace, path))) return [path];
  const changes = await workspace.gitChanges(path, options);
  return changes.map((change) => joinPath(path, change.rawPath ?? change.path));
}

/** Asks for a few at once, and gives them in their order. */
async function* ahead(
  names: readonly Name[],
  ask: ((name: Name) => Promise<GitDiff>) | undefined,
): AsyncGenerator<{ name: Name; result: GitDiff | undefined }> {
  const asked: Promise<GitDiff | undefined>[] = [];
  for (const [index, name] of names.entries()) {
    while (asked.length < Math.min(names.length, index + atOnce)) {
      const next = names[asked.length];
      const answer = ask === undefined || next === undefined ? Promise.resolve(undefined) : ask(next);
      // Seen when its turn comes.
      answer.catch(() => {});
      asked.push(answer);
    }
    const result = await asked[index];
    // What was shown need not be kept.
    asked[index] = Promise.resolve(undefined);
    yield { name, result };
  }
}

async function shown(name: Name, diff: GitDiff, isColoured: boolean): Promise<Buffer> {
  if (diff.truncated) await writeError(`yonder: the diff of ${nameText(name)} is longer than is shown\n`);
  if (!isColoured) return diff.unifiedDiffBytes;
  const { colourDiff } = await import("../../git/colour-diff.ts");
  return colourDiff(diff.unifiedDiffBytes, diff);
}

function toJson(name: Name, diff: GitDiff): object {
  const { status, oldPath, binary, untracked, truncated, originalSize, modifiedSize, hunks, unifiedDiff } = diff;
  return {
    status,
    ...jsonName("path", name),
    ...(oldPath !== undefined && { oldPath }),
    binary,
    untracked,
    truncated,
    originalSize,
    modifiedSize,
    hunks,
    diff: unifiedDiff,
  };
}

const atOnce = 4;
