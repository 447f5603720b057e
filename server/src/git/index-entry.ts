import type { PathBytes } from "../files/path-bytes.ts";
import { exactly } from "./file-change.ts";
import type { GitReader } from "./git-reader.ts";
import type { LocatedFile } from "./locate-file.ts";
import { splitNul } from "./raw-diff.ts";
import { readFailure } from "./read-failure.ts";

/** What the index has of a file. */
export interface IndexEntry {
  readonly mode: number;
  /** Relative to the repository. */
  readonly path: PathBytes;
  /** Whether the file is left out of the disk on purpose (a sparse checkout). */
  readonly isSkipped: boolean;
}

const TAB = 0x09;

/** The file's entry in the index; undefined where git does not track it. */
export async function indexEntry(
  git: GitReader,
  { directory, path }: LocatedFile,
  signal: AbortSignal | undefined,
): Promise<IndexEntry | undefined> {
  const args = ["ls-files", "-z", "-t", "--stage", "--full-name", "--"];
  const output = await git.run({ args, paths: exactly(path), directory, signal });
  if (output.exitCode !== 0) throw readFailure(output, directory);
  // "H 100644 <id> 0\t<path>"; of a file in conflict there are several.
  const [line] = splitNul(output.stdout);
  if (line === undefined) return undefined;
  const [tag, mode = ""] = line.toString("latin1", 0, line.indexOf(TAB)).split(" ");
  return { mode: Number.parseInt(mode, 8), path: line.subarray(line.indexOf(TAB) + 1), isSkipped: tag === "S" };
}
