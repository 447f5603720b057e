import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { systemCode } from "./errno.ts";
import { readInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths } from "./place.ts";
import { systemError } from "./system-error.ts";

export interface MakeDirectoryQuery {
  readonly path: PathBytes;
  readonly mode: number | undefined;
  readonly parents: boolean;
}

/** Makes a directory, with `parents` also those on the way; one that is there is no error then. */
export function makeDirectory(
  paths: Paths,
  { path, mode, parents }: MakeDirectoryQuery,
): Promise<{ file: FileInfo; created: boolean }> {
  return paths.locate(path, { follow: parents ? "target" : "no", createParents: parents }, async (place) => {
    let created = true;
    try {
      await mkdir(place.at);
    } catch (error) {
      if (!parents || systemCode(error) !== "EEXIST") throw error;
      created = false;
    }
    const file = await readInfo(place.at, place.path, false);
    // What is there is something else.
    if (file.kind !== "DIRECTORY") throw systemError("EEXIST");
    if (!created || mode === undefined) return { file, created };
    // By descriptor, since mkdir takes the umask off and chmod would follow a link that was swapped in.
    const handle = await open(place.at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      await handle.chmod(mode);
    } finally {
      await handle.close();
    }
    return { file: await readInfo(place.at, place.path, false), created };
  });
}
