import { realpath } from "node:fs/promises";
import { FailedPrecondition, InvalidRequest } from "../util/errors.ts";
import type { TreeReport } from "../util/errors.ts";
import { copyAside, copyInto } from "./copy-into.ts";
import { checkEtag, checkRegular, findInfo, readInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import { isWithin, joinPath, pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths, Place } from "./place.ts";
import { renameTo } from "./rename-to.ts";
import type { SerialByKey } from "./serial.ts";
import { systemError } from "./system-error.ts";

export interface CopyQuery {
  readonly source: PathBytes;
  readonly destination: PathBytes;
  readonly recursive: boolean;
  readonly createParents: boolean;
  readonly ifAbsent: boolean;
  readonly ifMatch: string;
}

/** Copies a file, a link, or a directory with all that is in it. */
export function copy(
  paths: Paths,
  targets: SerialByKey,
  query: CopyQuery,
): Promise<{ file: FileInfo; report: TreeReport }> {
  return paths.locate(query.source, { follow: "no" }, async (source) => {
    const info = await readInfo(source.at, source.path, false);
    checkEtag(source.path, query.ifMatch, info);
    checkCopyable(source, info);
    if (info.kind === "DIRECTORY") {
      if (!query.recursive) throw notRecursive(source);
      checkNotWithin(paths.absolute(query.source), paths.absolute(query.destination));
    }
    return paths.locate(
      query.destination,
      { follow: info.kind === "SYMLINK" ? "no" : "target", createParents: query.createParents },
      async (destination) => {
        const isTaken = query.ifAbsent && (await findInfo(destination.at, destination.path)) !== undefined;
        if (isTaken) throw systemError("EEXIST");
        if (info.kind === "DIRECTORY") await checkReallyNotWithin(source, destination);
        const place = (copied: Place): Promise<void> => renameTo(targets, copied, info, destination, true);
        const report = query.ifAbsent
          ? await copyAside(paths, source, info, destination, options, place)
          : await copyInto(paths, source, info, destination, options);
        return { file: await readInfo(destination.at, destination.path, false), report };
      },
    );
  });
}

const options = { keepOwners: false };

function notRecursive({ path }: Place): FailedPrecondition {
  const subject = pathText(path);
  return new FailedPrecondition("IS_A_DIRECTORY", `Is a directory, and the copy is not recursive: ${subject}`, {
    subject,
    systemCode: "EISDIR",
  });
}

/** Throws where the destination lies in the source, by their names. */
function checkNotWithin(source: PathBytes, destination: PathBytes): void {
  if (!isWithin(destination, source)) return;
  throw new InvalidRequest("INVALID_FIELD", `The destination lies in the source: ${pathText(destination)}`, {
    subject: "destination_path",
    systemCode: "EINVAL",
  });
}

/** The same where links or ".." lead there. */
export async function checkReallyNotWithin(source: Place, destination: Place): Promise<void> {
  const from = await realpath(source.at, { encoding: "buffer" });
  const into = await realpath(destination.directory, { encoding: "buffer" });
  checkNotWithin(from, joinPath(into, destination.name));
}

/** Throws for a device, pipe or socket, which is no content to copy. */
export function checkCopyable({ path }: Place, { kind }: FileInfo): void {
  if (kind !== "DIRECTORY" && kind !== "SYMLINK") checkRegular(path, kind);
}
