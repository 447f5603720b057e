import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { lstat, mkdir, open, readdir } from "node:fs/promises";
import { makeDirectories } from "@yonder/transfer";
import { systemCode } from "./errno.ts";
import { joinPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import { systemError } from "./system-error.ts";

/** A directory to go down from, name by name. */
export interface Directory {
  /** Its path for the kernel. */
  readonly at: PathBytes;
  /** The directory of this name in it; throws ENOTDIR where the name is a link or anything else. */
  open(name: PathBytes): Promise<Directory>;
  close(): Promise<void>;
}

/**
 * Opens a directory. One that is `pinned` stays the same whatever is moved or swapped in its path meanwhile: it is held
 * by a descriptor, and so is everything opened below it, without following links. Where there is no /proc, names are
 * checked instead.
 */
export async function openDirectory(at: PathBytes, pinned: boolean): Promise<Directory> {
  if (!pinned) return new NamedDirectory(at);
  if (process.platform !== "linux") return CheckedDirectory.check(at);
  return new PinnedDirectory(await open(at, pinFlags));
}

/** Makes a directory and what is missing above it; ENOTDIR where something else has one of the names. */
export async function makeWay(at: PathBytes): Promise<void> {
  await makeDirectories(at).catch((error: unknown) => {
    throw systemCode(error) === "EEXIST" ? systemError("ENOTDIR") : error;
  });
}

/** Runs `act` with a directory and closes it. */
export async function closing<T>(directory: Directory, act: (directory: Directory) => Promise<T>): Promise<T> {
  try {
    return await act(directory);
  } finally {
    await directory.close();
  }
}

/** Opens the directory of this name, and makes it where it is missing. */
export async function openOrMake(parent: Directory, name: PathBytes): Promise<Directory> {
  try {
    return await parent.open(name);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  await mkdir(joinPath(parent.at, name)).catch((error: unknown) => {
    if (systemCode(error) !== "EEXIST") throw error;
  });
  return parent.open(name);
}

/** The names in a directory, sorted by their bytes. In latin1, which keeps each byte as one character. */
export async function readNames(at: PathBytes): Promise<string[]> {
  const names = await readdir(at, { encoding: "latin1" });
  return names.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

class NamedDirectory implements Directory {
  readonly at: PathBytes;

  constructor(at: PathBytes) {
    this.at = at;
  }

  open(name: PathBytes): Promise<Directory> {
    return Promise.resolve(new NamedDirectory(joinPath(this.at, name)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class CheckedDirectory extends NamedDirectory {
  static async check(at: PathBytes): Promise<CheckedDirectory> {
    if ((await lstat(at)).isDirectory()) return new CheckedDirectory(at);
    throw systemError("ENOTDIR");
  }

  override open(name: PathBytes): Promise<Directory> {
    return CheckedDirectory.check(joinPath(this.at, name));
  }
}

class PinnedDirectory implements Directory {
  readonly at: PathBytes;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
    this.at = Buffer.from(`/proc/self/fd/${handle.fd}`);
  }

  async open(name: PathBytes): Promise<Directory> {
    return new PinnedDirectory(await open(joinPath(this.at, name), pinFlags));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** O_PATH: stands for the place alone, so that no permission to read is needed. */
const pinFlags = 0x200000 | constants.O_DIRECTORY | constants.O_NOFOLLOW;
