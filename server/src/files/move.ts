import { FailedPrecondition } from "../util/errors.ts";
import type { TreeReport } from "../util/errors.ts";
import { checkCopyable, checkReallyNotWithin } from "./copy.ts";
import { copyAside } from "./copy-into.ts";
import { systemCode } from "./errno.ts";
import { checkEtag, readInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import { joinPath, pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths, Place } from "./place.ts";
import { remove } from "./remove.ts";
import { renameTo } from "./rename-to.ts";
import type { SerialByKey } from "./serial.ts";
import { spareWorkspace } from "./spare-workspace.ts";

export interface MoveQuery {
  readonly source: PathBytes;
  readonly destination: PathBytes;
  readonly createParents: boolean;
  readonly ifAbsent: boolean;
  readonly ifMatch: string;
}

/** Gives something another name; over file systems by a copy, which gets its name once it is whole. */
export async function move(paths: Paths, targets: SerialByKey, query: MoveQuery): Promise<FileInfo> {
  const options = { follow: "no", createParents: query.createParents } as const;
  return paths.locate(query.source, { follow: "no" }, async (source) => {
    // Before a directory is made for it, and while an error is still the source's.
    const info = await readInfo(source.at, source.path, false);
    checkEtag(source.path, query.ifMatch, info);
    await spareWorkspace(paths, source, "moved");
    return paths.locate(query.destination, options, async (destination) => {
      const place = (from: Place): Promise<void> => renameTo(targets, from, info, destination, query.ifAbsent);
      try {
        await place(source);
      } catch (error) {
        const code = systemCode(error);
        const mayBeWithin = info.kind === "DIRECTORY" && (code === "EINVAL" || code === "EXDEV");
        if (mayBeWithin) await checkReallyNotWithin(source, destination);
        if (code !== "EXDEV") throw error;
        checkCopyable(source, info);
        await copyAside(paths, source, info, destination, { keepOwners: true }, (copied, report) => {
          mustBeWhole(source, report);
          return place(copied);
        });
        await remove(paths, { path: query.source, recursive: true, missingOk: true, ifMatch: "" });
      }
      return readInfo(destination.at, destination.path, false);
    });
  });
}

/** What was passed over would be gone with the source. */
function mustBeWhole(source: Place, { skipped, skippedNames }: TreeReport): void {
  if (skipped === 0) return;
  const path = joinPath(source.path, Buffer.from(skippedNames[0] ?? ""));
  const subject = pathText(path);
  const message = `A device, pipe or socket is not moved to another file system: ${subject}`;
  throw new FailedPrecondition("NOT_A_REGULAR_FILE", message, { subject, systemCode: "EXDEV" });
}
