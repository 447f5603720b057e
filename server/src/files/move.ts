import { rename } from "node:fs/promises";
import { copy } from "./copy.ts";
import { systemCode } from "./errno.ts";
import { checkEtag, findInfo, readInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import { moveIfAbsent } from "./part-file.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths, Place } from "./place.ts";
import { remove } from "./remove.ts";
import type { SerialByKey } from "./serial.ts";
import { systemError } from "./system-error.ts";

export interface MoveQuery {
  readonly source: PathBytes;
  readonly destination: PathBytes;
  readonly createParents: boolean;
  readonly ifAbsent: boolean;
  readonly ifMatch: string;
}

/** Gives something another name; over file systems by a copy. */
export async function move(paths: Paths, targets: SerialByKey, query: MoveQuery): Promise<FileInfo> {
  const options = { follow: "no", createParents: query.createParents } as const;
  const moved = await paths.locate(query.source, { follow: "no" }, async (source) => {
    // Before a directory is made for it, and while an error is still the source's.
    await readInfo(source.at, source.path, false);
    return paths.locate(query.destination, options, (destination) =>
      targets.run(destination.path.toString("latin1"), () => renameOrTell(source, destination, query)),
    );
  });
  if (moved !== undefined) return moved;
  const { file } = await copy(paths, { ...query, recursive: true });
  await remove(paths, { path: query.source, recursive: true, missingOk: true, ifMatch: "" });
  return file;
}

/** Moves it, or returns undefined where the two lie on different file systems. */
async function renameOrTell(source: Place, destination: Place, query: MoveQuery): Promise<FileInfo | undefined> {
  const info = await readInfo(source.at, source.path, false);
  checkEtag(source.path, query.ifMatch, info);
  try {
    if (!query.ifAbsent) await rename(source.at, destination.at);
    else if (info.kind !== "DIRECTORY") await moveIfAbsent(source.at, destination.at);
    else await renameDirectoryIfAbsent(source, destination);
  } catch (error) {
    if (systemCode(error) === "EXDEV") return undefined;
    throw error;
  }
  return readInfo(destination.at, destination.path, false);
}

async function renameDirectoryIfAbsent(source: Place, destination: Place): Promise<void> {
  // A directory has no second name, so the check comes before the act.
  if ((await findInfo(destination.at, destination.path)) !== undefined) {
    throw systemError("EEXIST");
  }
  await rename(source.at, destination.at);
}
