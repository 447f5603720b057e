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
    const some = names.slice(begin, begin + atOnce).map((name) => Buffer.from(name, "latin1"));
    const refusals = await Promise.all(some.map((name) => removeFile(joinPath(directory.at, name))));
    // One after the other: with several at once on each level, more would be open than a process may have.
    for (const [index, name] of some.entries()) {
      if (refusals[index] !== undefined) await removeChild(directory, name, refusals[index]);
    }
  }
}

/** Removes what is no directory. Of what may be one the kernel's refusal comes back: EISDIR on Linux, EPERM elsewhere. */
async function removeFile(at: PathBytes): Promise<Error | undefined> {
  try {
    await unlink(at);
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === "EISDIR" || code === "EPERM") return error as Error;
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function removeChild(directory: Directory, name: PathBytes, refusal: Error): Promise<void> {
  let child: Directory;
  try {
    child = await directory.open(name);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    // It is no directory, so the refusal had another cause.
    throw systemCode(error) === "ENOTDIR" ? refusal : error;
  }
  await closing(child, empty);
  await rmdir(joinPath(directory.at, name)).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

/** How many files of a directory go at once. */
const atOnce = 8;
