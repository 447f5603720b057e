import { rename } from "node:fs/promises";
import { findInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import { moveIfAbsent } from "./move-if-absent.ts";
import type { Place } from "./place.ts";
import type { SerialByKey } from "./serial.ts";
import { systemError } from "./system-error.ts";

/** Gives what is at a place another name on its file system. With `ifAbsent`, EEXIST where something has that name. */
export function renameTo(
  targets: SerialByKey,
  from: Place,
  { kind }: FileInfo,
  destination: Place,
  ifAbsent: boolean,
): Promise<void> {
  return targets.run(destination.path.toString("latin1"), async () => {
    if (!ifAbsent) return rename(from.at, destination.at);
    if (kind !== "DIRECTORY") return moveIfAbsent(from.at, destination.at);
    // A directory has no second name, so the check comes before the act.
    if ((await findInfo(destination.at, destination.path)) !== undefined) throw systemError("EEXIST");
    await rename(from.at, destination.at);
  });
}
