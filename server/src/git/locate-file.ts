import { baseName, isDot, isDotDot, joinPath, parentPath, pathText, splitPath } from "../files/path-bytes.ts";
import type { PathBytes } from "../files/path-bytes.ts";
import type { Paths } from "../files/place.ts";
import { FailedPrecondition } from "../util/errors.ts";
import { withGitDirectory, type GitDirectory } from "./git-directory.ts";
import { isReason } from "./read-failure.ts";

/** A file that may be gone, and with it the directories that it lay in. */
export interface LocatedFile {
  /** The nearest directory above it that is there. */
  readonly directory: GitDirectory;
  /** The file, relative to that directory. */
  readonly path: PathBytes;
}

/** Runs `act` with the place of a file; a link at its end is the file itself. */
export async function withFile<T>(paths: Paths, path: PathBytes, act: (file: LocatedFile) => Promise<T>): Promise<T> {
  const absolute = paths.absolute(path);
  const name = baseName(absolute);
  if (isDot(name) || isDotDot(name)) throw isADirectory(path);
  let rest = name;
  for (let parent = parentPath(absolute); ; parent = parentPath(parent)) {
    const here = rest;
    let isFound = false;
    try {
      return await withGitDirectory(paths, parent, (directory) => {
        isFound = true;
        return act({ directory, path: here });
      });
    } catch (error) {
      const isGone = !isFound && isReason(error, "FILE_NOT_FOUND", "NOT_A_DIRECTORY");
      // Where "gone/.." leads to, nobody knows.
      if (!isGone || parent.length <= 1 || splitPath(parent).some(isDotDot)) throw error;
      rest = joinPath(baseName(parent), rest);
    }
  }
}

export function isADirectory(path: PathBytes): FailedPrecondition {
  const subject = pathText(path);
  return new FailedPrecondition("IS_A_DIRECTORY", `A directory has no diff: ${subject}`, {
    subject,
    remedy: "Ask ListChanges which files below it differ.",
  });
}

/** `path` without what its ".." undo, by its names alone. */
export function normalized(path: PathBytes): PathBytes {
  const isAbsolute = path[0] === SLASH;
  const names: PathBytes[] = [];
  for (const name of splitPath(path)) {
    const last = names.at(-1);
    if (isDotDot(name) && last !== undefined && !isDotDot(last)) names.pop();
    else if (!isDotDot(name) || !isAbsolute) names.push(name);
  }
  const joined = names.reduce((before, name) => joinPath(before, name), Buffer.alloc(0));
  return isAbsolute ? Buffer.concat([Buffer.from("/"), joined]) : joined;
}

const SLASH = 0x2f;
