import type { FileStats, Workspace } from "@yonder/client";
import { asUser, userOption } from "../connection/as-user.ts";
import { connect } from "../connection/connect.ts";
import { argumentBytes } from "../files/argument-bytes.ts";
import { forEach } from "../files/each.ts";
import { longLines, plainLines } from "../files/listing.ts";
import { count } from "../frame/parse.ts";
import { defineVerb, flag, list, value } from "../frame/verb.ts";
import { jsonName, nameBytes } from "../output/names.ts";
import { write, writeJsonLine } from "../output/write.ts";

export const verb = defineVerb({
  description: [
    "Sorted by the bytes of the names. Directories end in / and links in @ on a terminal. With -R and --depth the paths of " +
      "a tree, each directory before what is in it. In a pipe names are printed byte for byte, one a line.",
    "With --json, an object an entry: path (relative to the directory that was named), kind (REGULAR, DIRECTORY, SYMLINK, " +
      "FIFO, SOCKET, CHARACTER_DEVICE, BLOCK_DEVICE), size, mode (a number), mtime, uid, gid, nlink, etag, and linkTarget " +
      "of a link. A name that is not UTF-8 is also in pathBase64.",
  ],
  arguments: [
    { usage: "[path...]", description: "Directories and files; the workspace's directory", completes: "remote-path" },
  ],
  options: {
    long: flag("-l, --long", "Mode, links, owner, group, size and time too"),
    all: flag("-a, --all", 'Names that begin with "." too'),
    recursive: flag("-R, --recursive", "All the way down"),
    depth: value("--depth <levels>", "So deep at most; 1", { parse: count }),
    directory: flag("-d, --directory", "Directories themselves, not what is in them"),
    exclude: list("-x, --exclude <pattern>", "Leave out what matches, as in a .gitignore; may be given several times"),
    gitignore: flag("--gitignore", "Leave out what .gitignore files say, and .git"),
    json: flag("--json", "An object a line, for programs"),
    user: userOption,
  },
  examples: [
    ["yonder ls -la", "All that is in the workspace's directory."],
    ["yonder ls -R --gitignore src", "A tree."],
    ["yonder ls -aR --json | jq -r 'select(.size > 1e6).path'", "What is large."],
  ],
  connects: true,
  async run({ arguments: [paths], options, connection }) {
    await using workspace = await connect(connection, asUser(options.user));
    const operands = paths.length === 0 ? [""] : paths;
    let isFirst = true;
    return await forEach(operands, async (operand) => {
      const path = argumentBytes(operand);
      const found = await look(workspace, path, options);
      if (operands.length > 1 && found.isDirectory && !options.json) {
        await write(Buffer.concat([Buffer.from(isFirst ? "" : "\n"), nameBytes(path), Buffer.from(":\n")]));
      }
      isFirst = false;
      await print(found.entries, options);
    });
  },
});

interface Options {
  readonly long: boolean;
  readonly all: boolean;
  readonly recursive: boolean;
  readonly depth: number | undefined;
  readonly directory: boolean;
  readonly exclude: readonly string[];
  readonly gitignore: boolean;
  readonly json: boolean;
}

async function look(
  workspace: Workspace,
  path: string | Buffer,
  { all, recursive, depth, directory, exclude, gitignore }: Options,
): Promise<{ isDirectory: boolean; entries: Entry[] }> {
  const itself = async (): Promise<{ isDirectory: boolean; entries: Entry[] }> => {
    const stats = await workspace.fs.lstat(path);
    return { isDirectory: false, entries: [{ name: path.length === 0 ? "." : path, stats }] };
  };
  if (directory) return itself();
  const hidden = all ? [] : [".*"];
  const options = { recursive, depth, exclude: [...exclude, ...hidden], gitignore, withFileTypes: true } as const;
  try {
    const entries = await workspace.fs.readdir(path, options);
    return { isDirectory: true, entries: entries.map((stats) => ({ name: stats.name, stats })) };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return itself();
    throw error;
  }
}

/** A name, as it is to be shown, with what is known of it. */
export interface Entry {
  readonly name: string | Buffer;
  readonly stats: FileStats;
}

async function print(entries: readonly Entry[], { long, json }: Options): Promise<void> {
  if (json) for (const entry of entries) await writeJsonLine(toJson(entry));
  else for (const line of long ? longLines(entries) : plainLines(entries)) await write(line);
}

function toJson({ name, stats }: Entry): object {
  const { kind, size, mode, mtime, uid, gid, nlink, etag, linkTarget } = stats;
  const target = linkTarget === undefined ? {} : jsonName("linkTarget", linkTarget);
  return { ...jsonName("path", name), kind, size, mode, mtime, uid, gid, nlink, etag, ...target };
}
