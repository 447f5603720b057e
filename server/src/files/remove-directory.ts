import { rmdir, unlink } from "node:fs/promises";
import { closing, openDirectory, readNames } from "./directory.ts";
import type { Directory } from "./directory.ts";
import { isMissing, systemCode } from "./errno.ts";
import { joinPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";

/** Removes a directory with all that is in it, whoever else may write there. */
export async function removeDirectory(at: PathBytes): Promise<void> {
  // Pinned, so that no link swapped in leads to something else that then goes.
  await closing(await openDirectory(at, true), empty);
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
