import { realpath } from "node:fs/promises";
import { InvalidRequest } from "../util/errors.ts";
import { isDot, isDotDot, isWithin, joinPath, pathText } from "./path-bytes.ts";
import type { Paths, Place } from "./place.ts";

/** Throws where the workspace's directory is at a place or lies in it, by whatever names the path leads there. */
export async function spareWorkspace(
  { workingDirectory }: Paths,
  place: Place,
  what: "moved" | "removed",
): Promise<void> {
  const refuse = (why: string): InvalidRequest =>
    new InvalidRequest("INVALID_FIELD", `${why}: ${pathText(place.path)}`, {
      subject: fields[what],
      systemCode: "EINVAL",
    });
  if (isDot(place.name) || isDotDot(place.name)) throw refuse(`"." and ".." are no names that can be ${what}`);
  // The directory's real path, since a link at the end is what is meant itself.
  const [own, directory] = await Promise.all(
    [realpath(workingDirectory, bytes), realpath(place.directory, bytes)].map(orNothing),
  );
  const isAround = own !== undefined && directory !== undefined && isWithin(own, joinPath(directory, place.name));
  if (!isAround && !isWithin(workingDirectory, place.path)) return;
  throw refuse(`The workspace's directory lies there and is not ${what}`);
}

const fields = { moved: "source_path", removed: "path" };
const bytes = { encoding: "buffer" } as const;

function orNothing<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch(() => undefined);
}
