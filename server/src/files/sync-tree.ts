import { execFile } from "node:child_process";
import { readlink } from "node:fs/promises";
import { promisify } from "node:util";
import { pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";

/**
 * Makes everything that was written to the file system of this directory last, in one go: syncfs, by way of the `sync`
 * command, since Node has no call for it and a sync for each of thousands of files takes minutes. Where there is no such
 * command the tree lasts as soon as the kernel writes it.
 */
export async function syncTree(at: PathBytes): Promise<void> {
  // Another process sees its own descriptors under /proc/self.
  const path = await readlink(at, { encoding: "utf8" }).catch(() => pathText(at));
  await promisify(execFile)("sync", ["-f", path], { timeout: 120_000 }).catch(() => {});
}
