import { FileService } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { FileStats } from "../files/file-stats.ts";
import { toWirePath } from "../files/wire-path.ts";
import type { WirePlace } from "../files/wire-path.ts";
import type { IgnoreOptions } from "./ignore-rules.ts";
import { NotFound } from "../errors.ts";

export interface RemoteTreeOptions extends IgnoreOptions {
  readonly path: WirePlace;
  readonly sha256: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What a tree in the workspace holds, by its paths in it in latin1; nothing where it is not there. */
export async function listRemoteTree(
  connection: Connection,
  options: RemoteTreeOptions,
): Promise<Map<string, FileStats>> {
  const tree = new Map<string, FileStats>();
  for await (const [name, stats] of list(connection, options, -1)) tree.set(name, stats);
  return tree;
}

/**
 * The same of a part: what has one of these names in the tree's top, and what is below it. So a small tree that goes into
 * a large directory costs no look at all of that.
 */
export async function listRemoteParts(
  connection: Connection,
  options: RemoteTreeOptions,
  names: ReadonlySet<string>,
): Promise<Map<string, FileStats>> {
  const tree = new Map<string, FileStats>();
  for await (const [name, stats] of list(connection, options, 1)) if (names.has(name)) tree.set(name, stats);
  for (const [name, stats] of tree) {
    if (name.includes("/") || !stats.isDirectory()) continue;
    const part = { ...options, path: below(options.path, name) };
    for await (const [entry, child] of list(connection, part, -1)) tree.set(`${name}/${entry}`, child);
  }
  return tree;
}

async function* list(
  connection: Connection,
  { path, exclude = [], gitignore = false, sha256, signal }: RemoteTreeOptions,
  depth: number,
): AsyncGenerator<[string, FileStats]> {
  const request = { ...path, exclude: [...exclude], gitignore, sha256, depth, includeHidden: true, pageSize: 10_000 };
  let pageToken = "";
  do {
    const page = await connection
      .call(FileService.method.list, { ...request, pageToken }, { signal })
      .catch((error: unknown) => {
        if (NotFound.is(error)) return undefined;
        throw error;
      });
    if (page === undefined) return;
    for (const file of page.files) {
      const stats = new FileStats(file);
      yield [Buffer.from(stats.path as string).toString("latin1"), stats];
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

/** The path of an entry of a tree, by its name in it in latin1. */
export function below({ path, rawPath, user }: WirePlace, name: string): WirePlace {
  const directory = rawPath.length > 0 ? Buffer.from(rawPath) : Buffer.from(path === "" ? "." : path);
  return { ...toWirePath(undefined, Buffer.concat([directory, Buffer.from("/"), Buffer.from(name, "latin1")])), user };
}
