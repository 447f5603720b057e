import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { lstat, mkdir, open, rename, writeFile } from "node:fs/promises";
import { isMissing } from "./errno.ts";
import { moveIfAbsent } from "./move-if-absent.ts";
import { joinPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import { beside } from "./place.ts";
import type { Place } from "./place.ts";
import { removeDirectory } from "./remove-directory.ts";

/**
 * The names of what is on its way begin so. Each lies in a directory of its own beside the target, on the same file
 * system, whose .gitignore keeps it out of git's sight too.
 */
export const partPrefix = ".yonder-part-";

const prefixBytes = Buffer.from(partPrefix);
const dataName = Buffer.from("data");
const ignoreName = Buffer.from(".gitignore");

export function isPartName(name: Uint8Array): boolean {
  return name.length > prefixBytes.length && prefixBytes.equals(name.subarray(0, prefixBytes.length));
}

/** Makes a part beside a place and opens it for writing. `name` is the part's own, beginning with the prefix. */
export async function createPart(place: Place, name: PathBytes): Promise<FileHandle> {
  const directory = beside(place, name);
  await makePartDirectory(directory);
  try {
    return await open(joinPath(directory, dataName), writeNew, 0o666);
  } catch (error) {
    await removePartDirectory(directory);
    throw error;
  }
}

/** Opens a part again, to go on. */
export function reopenPart(place: Place, name: PathBytes): Promise<FileHandle> {
  return open(partData(place, name), constants.O_RDWR | constants.O_NOFOLLOW);
}

/** When a part's data was written last, in milliseconds since 1970. */
export async function partTime(place: Place, name: PathBytes): Promise<number> {
  return (await lstat(partData(place, name))).mtimeMs;
}

/** Puts a part's data under the name of the place, in one step. With `ifAbsent`, EEXIST where something has that name. */
export async function placePart(place: Place, name: PathBytes, ifAbsent: boolean): Promise<void> {
  const data = partData(place, name);
  if (ifAbsent) await moveIfAbsent(data, place.at);
  else await rename(data, place.at);
  await removePartDirectory(beside(place, name));
}

/** Removes a part and its data, where they are. */
export async function removePart(place: Place, name: PathBytes): Promise<void> {
  await removePartDirectory(beside(place, name));
}

/** Makes the directory that hides parts; `at` is its path for the kernel. */
export async function makePartDirectory(at: PathBytes): Promise<void> {
  await mkdir(at, 0o700);
  try {
    await writeFile(joinPath(at, ignoreName), "*\n");
  } catch (error) {
    await removePartDirectory(at);
    throw error;
  }
}

export async function removePartDirectory(at: PathBytes): Promise<void> {
  await removeDirectory(at).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

function partData(place: Place, name: PathBytes): PathBytes {
  return joinPath(beside(place, name), dataName);
}

const writeNew = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
