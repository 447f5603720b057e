import { readlink } from "node:fs/promises";
import { FailedPrecondition } from "../util/errors.ts";
import { makeWay } from "./directory.ts";
import { fileError, isMissing, systemCode } from "./errno.ts";
import { absolutePath, baseName, isAbsolute, joinPath, parentPath, pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { LocateOptions, Paths, Place } from "./place.ts";

/** Paths as the operating system reads them, with nothing fenced off. */
export function createOpenPaths(workingDirectory: PathBytes): Paths {
  const absolute = (path: PathBytes): PathBytes => absolutePath(workingDirectory, path);
  return {
    workingDirectory,
    isConfined: false,
    absolute,
    async locate<T>(path: PathBytes, options: LocateOptions, act: (place: Place) => Promise<T>): Promise<T> {
      let place = placeOf(absolute(path));
      try {
        if (options.follow === "target") place = await followLinks(place);
        if (options.createParents === true) await makeWay(place.directory);
        return await act(place);
      } catch (error) {
        throw fileError(error, place.path);
      }
    },
    close: () => Promise.resolve(),
  };
}

function placeOf(path: PathBytes): Place {
  return { path, at: path, directory: parentPath(path), name: baseName(path) };
}

async function followLinks(start: Place): Promise<Place> {
  let place = start;
  for (let links = 0; links <= maxLinks; links++) {
    const target = await linkTarget(place.at);
    if (target === undefined) return place;
    // Not normalized: what ".." means behind a link is for the kernel to say.
    place = placeOf(isAbsolute(target) ? target : joinPath(place.directory, target));
  }
  throw tooManyLinks(start.path);
}

/** What the link at this path holds; undefined where there is no link. */
export async function linkTarget(at: PathBytes): Promise<PathBytes | undefined> {
  try {
    return await readlink(at, { encoding: "buffer" });
  } catch (error) {
    if (systemCode(error) === "EINVAL" || isMissing(error)) return undefined;
    throw error;
  }
}

export function tooManyLinks(path: PathBytes): FailedPrecondition {
  const subject = pathText(path);
  return new FailedPrecondition("FILE_SYSTEM_REFUSED", `Too many symbolic links: ${subject}`, {
    subject,
    systemCode: "ELOOP",
  });
}

/** As many as Linux follows. */
export const maxLinks = 40;
