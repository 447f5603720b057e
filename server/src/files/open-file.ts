import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { checkEtag, checkRegular, fileInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths } from "./place.ts";

export interface OpenFile {
  readonly handle: FileHandle;
  /** The file as it was when it was opened. */
  readonly info: FileInfo;
}

/** Opens a regular file for reading. A pipe or device is refused and not waited for. */
export function openFile(paths: Paths, path: PathBytes, ifMatch: string): Promise<OpenFile> {
  return paths.locate(path, { follow: "yes" }, async (place) => {
    const noFollow = paths.isConfined ? constants.O_NOFOLLOW : 0;
    const handle = await open(place.at, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | noFollow);
    try {
      const info = fileInfo(place.path, await handle.stat({ bigint: true }));
      checkRegular(place.path, info.kind);
      checkEtag(place.path, ifMatch, info);
      return { handle, info };
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}
