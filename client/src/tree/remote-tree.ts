import { FileService } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { FileStats } from "../files/file-stats.ts";
import type { IgnoreOptions } from "./ignore-rules.ts";
import { NotFound } from "../errors.ts";

export interface RemoteTreeOptions extends IgnoreOptions {
  readonly path: { path: string; pathBytes: Uint8Array };
  readonly sha256: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What a tree in the workspace holds, by its paths in it in latin1; nothing where it is not there. */
export async function listRemoteTree(
  connection: Connection,
  { path, exclude = [], gitignore = false, sha256, signal }: RemoteTreeOptions,
): Promise<Map<string, FileStats>> {
  const tree = new Map<string, FileStats>();
  const request = {
    ...path,
    exclude: [...exclude],
    gitignore,
    sha256,
    depth: -1,
    includeHidden: true,
    pageSize: 10_000,
  };
  try {
    for (let pageToken = ""; ;) {
      const page = await connection.call(FileService.method.list, { ...request, pageToken }, { signal });
      for (const file of page.files) {
        const stats = new FileStats(file);
        tree.set(Buffer.from(stats.path as string).toString("latin1"), stats);
      }
      pageToken = page.nextPageToken;
      if (pageToken === "") return tree;
    }
  } catch (error) {
    if (NotFound.is(error)) return tree;
    throw error;
  }
}
