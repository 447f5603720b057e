import type { GitDirectory } from "./git-directory.ts";
import type { GitSetting } from "./git-environment.ts";
import type { GitReader } from "./git-reader.ts";
import { readFailure } from "./read-failure.ts";

/** What git has under a name. */
export interface ObjectInfo {
  readonly id: string;
  readonly kind: string;
  readonly sizeBytes: number;
}

const LINE_FEED = 0x0a;

/** What stands under these names, in one process; undefined where nothing does. */
export async function describeObjects(
  git: GitReader,
  directory: GitDirectory,
  names: readonly Buffer[],
  signal: AbortSignal | undefined,
): Promise<(ObjectInfo | undefined)[]> {
  // The form with NUL is newer (2.38) and only needed for a name with a newline.
  const byNul = names.some((name) => name.includes(LINE_FEED));
  const end = Buffer.of(byNul ? 0 : LINE_FEED);
  const output = await git.run({
    args: ["cat-file", ...(byNul ? ["-z"] : []), "--batch-check=%(objectname) %(objecttype) %(objectsize)"],
    directory,
    stdin: Buffer.concat(names.flatMap((name) => [name, end])),
    signal,
  });
  if (output.exitCode !== 0) throw readFailure(output, directory);
  return parseInfos(output.stdout, names);
}

/** An answer for a name that nothing stands under repeats the name, which may hold newlines. */
function parseInfos(output: Buffer, names: readonly Buffer[]): (ObjectInfo | undefined)[] {
  let at = 0;
  return names.map((name) => {
    const missing = Buffer.concat([name, Buffer.from(" missing\n")]);
    if (output.subarray(at, at + missing.length).equals(missing)) {
      at += missing.length;
      return undefined;
    }
    const end = output.indexOf(LINE_FEED, at);
    const line = output.toString("latin1", at, end === -1 ? output.length : end);
    at = end === -1 ? output.length : end + 1;
    const [, id = "", kind = "", size] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(line) ?? [];
    return id === "" ? undefined : { id, kind, sizeBytes: Number(size) };
  });
}

/** The content of a blob; with a path, as a checkout to that path would write it (line ends, encoding). */
export async function readBlob(
  git: GitReader,
  directory: GitDirectory,
  id: string,
  path: Buffer | undefined,
  settings: readonly GitSetting[],
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const byNul = path?.includes(LINE_FEED) === true;
  const output = await git.run({
    args: ["cat-file", ...(byNul ? ["-z"] : []), "--batch", ...(path === undefined ? [] : ["--filters"])],
    directory,
    settings,
    stdin: Buffer.concat([
      Buffer.from(id),
      ...(path === undefined ? [] : [Buffer.from(" "), path]),
      Buffer.of(byNul ? 0 : LINE_FEED),
    ]),
    signal,
  });
  if (output.exitCode !== 0) throw readFailure(output, directory);
  // "<id> blob <size>\n<content>\n", where the size is the one before any conversion.
  return output.stdout.subarray(output.stdout.indexOf(LINE_FEED) + 1, -1);
}
