import { link, lstat, rename, unlink } from "node:fs/promises";
import { isMissing, systemCode } from "./errno.ts";
import type { PathBytes } from "./path-bytes.ts";
import { systemError } from "./system-error.ts";

/** A rename that never replaces: two links, then one. Where there are no hard links the check comes before the act. */
export async function moveIfAbsent(source: PathBytes, destination: PathBytes): Promise<void> {
  try {
    await link(source, destination);
  } catch (error) {
    const code = systemCode(error);
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP" && code !== "EMLINK") throw error;
    if (await exists(destination)) throw systemError("EEXIST");
    await rename(source, destination);
    return;
  }
  await unlink(source).catch(async (error: unknown) => {
    if (isMissing(error)) return;
    // It may not go from where it is, so it is not to be in both places.
    await unlink(destination).catch(() => {});
    throw error;
  });
}

async function exists(at: PathBytes): Promise<boolean> {
  return lstat(at).then(
    () => true,
    () => false,
  );
}
