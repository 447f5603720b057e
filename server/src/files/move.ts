import { randomBytes } from "node:crypto";
import { rename } from "node:fs/promises";
import { FailedPrecondition } from "../util/errors.ts";
import { checkCopyable, checkReallyNotWithin, copyInto } from "./copy.ts";
import { closing, openDirectory } from "./directory.ts";
import { systemCode } from "./errno.ts";
import { checkEtag, findInfo, readInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import { moveIfAbsent } from "./move-if-absent.ts";
import { makePartDirectory, partPrefix, removePartDirectory } from "./part-file.ts";
import { dot, joinPath, pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths, Place } from "./place.ts";
import { remove } from "./remove.ts";
import type { SerialByKey } from "./serial.ts";
import { spareWorkspace } from "./spare-workspace.ts";
import { systemError } from "./system-error.ts";

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
      const place = (from: Place): Promise<void> =>
        targets.run(destination.path.toString("latin1"), () => renameTo(from, info, destination, query.ifAbsent));
      try {
        await place(source);
      } catch (error) {
        const code = systemCode(error);
        const mayBeWithin = info.kind === "DIRECTORY" && (code === "EINVAL" || code === "EXDEV");
        if (mayBeWithin) await checkReallyNotWithin(source, destination);
        if (code !== "EXDEV") throw error;
        checkCopyable(source, info);
        await copyAside(paths, source, info, destination, place);
        await remove(paths, { path: query.source, recursive: true, missingOk: true, ifMatch: "" });
      }
      return readInfo(destination.at, destination.path, false);
    });
  });
}

async function renameTo(from: Place, { kind }: FileInfo, destination: Place, ifAbsent: boolean): Promise<void> {
  if (!ifAbsent) return rename(from.at, destination.at);
  if (kind !== "DIRECTORY") return moveIfAbsent(from.at, destination.at);
  // A directory has no second name, so the check comes before the act.
  if ((await findInfo(destination.at, destination.path)) !== undefined) throw systemError("EEXIST");
  await rename(from.at, destination.at);
}

/** Copies to where nobody sees it, beside the destination, and then calls `place` with the copy. */
async function copyAside(
  paths: Paths,
  source: Place,
  info: FileInfo,
  destination: Place,
  place: (copied: Place) => Promise<void>,
): Promise<void> {
  const partName = Buffer.from(partPrefix + randomBytes(12).toString("hex"));
  const parent = await openDirectory(joinPath(destination.directory, dot), true);
  await closing(parent, async () => {
    const at = joinPath(parent.at, partName);
    await makePartDirectory(at);
    try {
      await closing(await parent.open(partName), async (directory) => {
        const { name, path } = destination;
        const copied = { path, at: joinPath(directory.at, name), directory: directory.at, name };
        const { skipped, skippedNames } = await copyInto(paths, source, info, copied, { keepOwners: true });
        if (skipped > 0) throw notCarried(joinPath(source.path, Buffer.from(skippedNames[0] ?? "")));
        await place(copied);
      });
    } finally {
      await removePartDirectory(at);
    }
  });
}

function notCarried(path: PathBytes): FailedPrecondition {
  const subject = pathText(path);
  const message = `A device, pipe or socket is not moved to another file system: ${subject}`;
  return new FailedPrecondition("NOT_A_REGULAR_FILE", message, { subject, systemCode: "EXDEV" });
}
