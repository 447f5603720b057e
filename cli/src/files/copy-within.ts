import { UsageError } from "../frame/failure.ts";
import type { Copying } from "./copy-options.ts";
import { isDirectoryThere, joinPath, lastName } from "./operand.ts";

type Path = string | Buffer;

/** Copies within the workspace, without a byte on the way. */
export async function copyWithin(copying: Copying, source: Path, target: Path, isInto: boolean): Promise<void> {
  const { workspace, options, signal } = copying;
  const { gitignore, exclude, checksum } = options;
  if (gitignore || checksum || exclude.length > 0) {
    throw new UsageError(
      "--gitignore, --exclude and --checksum are for copies into and out of a workspace, not within one",
    );
  }
  const isThere = isInto || (await isDirectoryThere(workspace, target));
  const to = isThere ? joinPath(target, lastName(source)) : target;
  await workspace.fs.cp(source, to, { recursive: true, errorOnExist: options.noClobber, signal });
}
