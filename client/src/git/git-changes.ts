import { GitService } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { toWirePlace, type PathLike, type PlaceContext } from "../files/wire-path.ts";
import { toGitChange } from "./from-wire.ts";
import type { GitChangesOptions } from "./git-options.ts";
import type { GitChange } from "./git-results.ts";

/** A look at a large repository takes its time; past this one is begun anew. */
export const READ_MS = 300_000;
/** As many as fit; the server cuts it to what it allows. */
export const PAGE_SIZE = 100_000;

/** The paths below a directory that differ from the base, of one moment, however many pages they take. */
export async function gitChanges(
  connection: Connection,
  context: PlaceContext,
  path: PathLike = "",
  { ref = "", commit = "", nested = true, signal, user }: GitChangesOptions = {},
): Promise<GitChange[]> {
  const request = {
    ...toWirePlace(context, path, user),
    baseRef: ref,
    commit,
    withoutNested: !nested,
    pageSize: PAGE_SIZE,
  };
  const changes: GitChange[] = [];
  let pageToken = "";
  do {
    const page = await connection.call(
      GitService.method.listChanges,
      { ...request, pageToken },
      { signal, timeoutMs: READ_MS },
    );
    changes.push(...page.changes.map(toGitChange));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return changes;
}
