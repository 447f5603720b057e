import { rmdir, unlink } from "node:fs/promises";
import { closing, openDirectory, readNames } from "./directory.ts";
import type { Directory } from "./directory.ts";
import { isMissing, systemCode } from "./errno.ts";
import { checkEtag, findInfo } from "./file-info.ts";
import { joinPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths } from "./place.ts";
import { spareWorkspace } from "./spare-workspace.ts";

export interface RemoveQuery {
  readonly path: PathBytes;
  readonly recursive: boolean;
  readonly missingOk: boolean;
  readonly ifMatch: string;
}

/** Removes a file, a link or a directory; returns whether something was there. */
export async function remove(paths: Paths, query: RemoveQuery): Promise<boolean> {
  try {
    return await paths.locate(query.path, { follow: "no" }, async (place) => {
      const present = await findInfo(place.at, place.path);
      checkEtag(place.path, query.ifMatch, present);
      await spareWorkspace(paths, place, "removed");
      if (present?.kind === "DIRECTORY") await removeDirectory(place.at, query.recursive);
      else await unlink(place.at);
      return true;
    });
  } catch (error) {
    const isAway = error instanceof Error && "reason" in error && error.reason === "FILE_NOT_FOUND";
    if (query.missingOk && isAway && query.ifMatch === "") return false;
    throw error;
  }
}

/** Removes a directory, whoever else may write in it. */
export async function removeDirectory(at: PathBytes, recursive: boolean): Promise<void> {
  if (recursive) {
    // Pinned, so that no link swapped in leads to something else that then goes.
    const directory = await openDirectory(at, true);
    await closing(directory, empty);
  }
  await rmdir(at);
}

async function empty(directory: Directory): Promise<void> {
  const names = await readNames(directory.at);
  for (let begin = 0; begin < names.length; begin += atOnce) {
    await Promise.all(
      names.slice(begin, begin + atOnce).map((name) => removeEntry(directory, Buffer.from(name, "latin1"))),
    );
  }
}

async function removeEntry(directory: Directory, name: PathBytes): Promise<void> {
  const at = joinPath(directory.at, name);
  try {
    // Most entries are no directories: the kernel says which are (EISDIR on Linux, EPERM elsewhere).
    await unlink(at);
    return;
  } catch (error) {
    if (isMissing(error)) return;
    const code = systemCode(error);
    if (code !== "EISDIR" && code !== "EPERM") throw error;
    const child = await directory.open(name).catch(() => undefined);
    if (child === undefined) throw error;
    await closing(child, empty);
  }
  await rmdir(at).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

/** How many entries of a directory go at once. */
const atOnce = 8;
