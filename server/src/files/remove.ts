import { rmdir, unlink } from "node:fs/promises";
import { checkEtag, findInfo } from "./file-info.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths } from "./place.ts";
import { removeDirectory } from "./remove-directory.ts";
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
      if (present?.kind === "DIRECTORY") await (query.recursive ? removeDirectory(place.at) : rmdir(place.at));
      else await unlink(place.at);
      return true;
    });
  } catch (error) {
    const isAway = error instanceof Error && "reason" in error && error.reason === "FILE_NOT_FOUND";
    if (query.missingOk && isAway && query.ifMatch === "") return false;
    throw error;
  }
}
