import type { Workspace } from "@yonder/client";
import { asUser, userOption } from "../connection/as-user.ts";
import { connect } from "../connection/connect.ts";
import type { CopyOptions } from "../files/copy-options.ts";
import { forEach } from "../files/each.ts";
import { keepMemoryFlat } from "../files/flat-memory.ts";
import { Interrupt } from "../files/interrupt.ts";
import { isDirectoryHere, isDirectoryThere, parseOperand, saysDirectory } from "../files/operand.ts";
import type { Operand } from "../files/operand.ts";
import { isYonderError, UsageError } from "../frame/failure.ts";
import type { ConnectionOptions } from "../frame/verb.ts";
import { defineVerb, flag, list } from "../frame/verb.ts";
import { writeError } from "../output/write.ts";

export const verb = defineVerb({
  description: [
    'A path with a colon is in a workspace: ":path" in the chosen one, "profile:path" in that of a profile; "-" is standard ' +
      'input or output; "./a:b" is a file here whose name has a colon. Remote paths are absolute, or relative to the ' +
      "workspace's directory.",
    "A directory is copied with all that is in it. Where the target is a directory, or ends in /, and for several sources, " +
      'they go into it under their own names; "src/." is what is in src. Otherwise the target is the copy. Directories that ' +
      "are missing on the way are made. Modes, times and links are kept, owners are not. A link that is named itself stands " +
      "for what it leads to; within a tree links are copied as links.",
    "What is there already, with the same size, time and mode, is not moved again. So a copy that was broken off is run " +
      "again and goes on: a file at its byte, if it is still the same, a tree with the files that are missing. A file that " +
      "is copied appears whole: nobody sees half of one.",
    "On a terminal standard error shows the way; in a pipe it says nothing. Between two workspaces, go through a pipe: " +
      "`yonder cp one:x - | yonder cp - two:x`.",
  ],
  arguments: [{ usage: "<path...>", description: "The sources, then the target", completes: "either-path" }],
  options: {
    noClobber: flag("-n, --no-clobber", "Leave alone what has the name already, whatever it holds"),
    checksum: flag("-c, --checksum", "Compare by SHA-256 instead of size and time, and check what was copied by it"),
    exclude: list("-x, --exclude <pattern>", "Leave out of trees what matches, as in a .gitignore; may be repeated"),
    gitignore: flag("--gitignore", "Leave out of trees what their .gitignore files say, and .git"),
    outsideLinks: flag("--outside-links", "Bring links down that lead out of their tree, which else are passed over"),
    recursive: flag("-r, --recursive", "For those who are used to it: directories are copied whole without it"),
    quiet: flag("-q, --quiet", "Show no progress"),
    user: userOption,
  },
  examples: [
    ["yonder cp data.csv :", "A file into the workspace's directory."],
    ["yonder cp --gitignore . :app", "This directory, without what git ignores."],
    ["yonder cp :out/report.html dev:/var/log/app.log .", "Two files of two workspaces into this directory."],
    ["tar c src | yonder cp - :src.tar", "From a pipe."],
    ["yonder cp :dump.sql - | head", "To a pipe."],
  ],
  exits: [["130", "Ctrl-C ended it; run it again to go on"]],
  connects: true,
  async run({ arguments: [paths], options, connection }) {
    const operands = paths.map(parseOperand);
    const [sources, target] = [operands.slice(0, -1), operands.at(-1)];
    if (target === undefined || sources.length === 0) throw new UsageError("cp needs a source and a target");
    check(sources, target);
    keepMemoryFlat();
    // What writes to a pipe ends by its signal alone: the reader may stand still, and nothing is to be gone on with.
    using interrupt = new Interrupt(target.kind !== "pipe");
    const { signal } = interrupt;
    await using workspaces = new Workspaces(connection, options.user, signal);
    const copying = { options, signal };
    try {
      const isInto = await goesInto(sources, target, workspaces, signal);
      return await forEach(sources, (source) => copy({ source, target, isInto, workspaces, ...copying }));
    } catch (error) {
      const isResumable = sources.every(({ kind }) => kind !== "pipe") && target.kind !== "pipe";
      if (interrupt.exitCode !== undefined) {
        await writeError(`yonder: interrupted${isResumable ? "; run it again to go on where it stopped" : ""}\n`);
        return interrupt.exitCode;
      }
      if (isResumable && isYonderError(error) && error.reason === "CONNECTION_LOST") {
        error.message += "; run it again to go on where it stopped";
      }
      throw error;
    }
  },
});

interface Copy {
  readonly source: Operand;
  readonly target: Operand;
  readonly isInto: boolean;
  readonly workspaces: Workspaces;
  readonly options: CopyOptions;
  readonly signal: AbortSignal;
}

async function copy({ source, target, isInto, workspaces, options, signal }: Copy): Promise<void> {
  const profile = source.kind === "remote" ? source.profile : target.kind === "remote" ? target.profile : undefined;
  const copying = { workspace: await workspaces.get(profile), options, signal };
  if (source.kind !== "remote") {
    const { copyUp } = await import("../files/copy-up.ts");
    if (target.kind === "remote") await copyUp(copying, source, target.path, isInto);
  } else if (target.kind !== "remote") {
    const { copyDown } = await import("../files/copy-down.ts");
    await copyDown(copying, source.path, target, isInto);
  } else {
    const { copyWithin } = await import("../files/copy-within.ts");
    await copyWithin(copying, source.path, target.path, isInto);
  }
}

/** Refuses what cannot be, before anything is asked or moved. */
function check(sources: readonly Operand[], target: Operand): void {
  if (target.kind === "pipe" && sources.length > 1) throw new UsageError("standard output takes one file");
  for (const source of sources) {
    if (source.kind !== "remote" && target.kind !== "remote") {
      throw new UsageError('no path is in a workspace: ":path" is in the chosen one, "profile:path" in a profile\'s');
    }
    if (source.kind === "remote" && target.kind === "remote" && source.profile !== target.profile) {
      throw new UsageError(
        "a copy between two workspaces goes through here: " +
          `\`yonder cp ${source.profile ?? ""}:x - | yonder cp - ${target.profile ?? ""}:x\``,
      );
    }
    if (source.kind === "pipe" && sources.length > 1) throw new UsageError("standard input is a source by itself");
  }
}

/** Whether the sources go into the target; a target that several sources need is refused where it is something else. */
async function goesInto(
  sources: readonly Operand[],
  target: Operand,
  workspaces: Workspaces,
  signal: AbortSignal,
): Promise<boolean> {
  if (target.kind === "pipe") return false;
  if (saysDirectory(target.path)) return true;
  if (sources.length === 1) return false;
  const isDirectory =
    target.kind === "remote"
      ? await isDirectoryThere(await workspaces.get(target.profile), target.path, { signal })
      : await isDirectoryHere(target.path);
  if (!isDirectory)
    throw new UsageError("several sources go into a directory: put a / behind the target to have it made");
  return true;
}

/** The workspaces of a copy by profile, each connected to when it is needed. */
class Workspaces implements AsyncDisposable {
  readonly #connection: ConnectionOptions;
  readonly #user: string | undefined;
  readonly #signal: AbortSignal;
  readonly #open = new Map<string | undefined, Promise<Workspace>>();

  constructor(connection: ConnectionOptions, user: string | undefined, signal: AbortSignal) {
    this.#connection = connection;
    this.#user = user;
    this.#signal = signal;
  }

  get(profile: string | undefined): Promise<Workspace> {
    // A profile says by itself where it is.
    const connection = profile === undefined ? this.#connection : { ...this.#connection, host: undefined, profile };
    const open = this.#open.get(profile) ?? connect(connection, { ...asUser(this.#user), signal: this.#signal });
    this.#open.set(profile, open);
    return open;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const open of this.#open.values()) await open.then((workspace) => workspace.close()).catch(() => {});
  }
}
