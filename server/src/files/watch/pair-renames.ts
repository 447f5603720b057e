import type { WatchChange } from "./watch-change.ts";

/**
 * Makes one RENAMED of a REMOVED and a CREATED of the same inode. What was in a directory that was renamed is told by the
 * directory's own rename alone.
 *
 * @param inodeOf the inode of a removed ("-path") or created ("+path") name, with the path in latin1
 */
export function pairRenames(
  changes: readonly WatchChange[],
  inodeOf: (key: string) => string | undefined,
): WatchChange[] {
  const removed = new Map<string, WatchChange>();
  for (const change of changes) {
    if (change.kind !== "REMOVED") continue;
    const inode = inodeOf(`-${key(change)}`);
    // The last one: a directory's own removal comes after that of what is in it.
    if (inode !== undefined) removed.set(inode, change);
  }
  const renames = new Map<WatchChange, WatchChange>();
  for (const change of changes) {
    if (change.kind !== "CREATED") continue;
    const inode = inodeOf(`+${key(change)}`);
    const old = inode === undefined ? undefined : removed.get(inode);
    if (old !== undefined && old.fileKind === change.fileKind) renames.set(change, old);
  }
  if (renames.size === 0) return [...changes];
  const gone = new Set(renames.values());
  const moved = [...renames].filter(([change]) => change.fileKind === "DIRECTORY");
  const [oldTops, newTops] = [moved.map(([, old]) => `${key(old)}/`), moved.map(([change]) => `${key(change)}/`)];
  return changes.flatMap((change) => {
    const old = renames.get(change);
    if (old !== undefined) return [{ ...change, kind: "RENAMED" as const, oldPath: old.path }];
    if (gone.has(change)) return [];
    const path = key(change);
    if (change.kind === "REMOVED" && oldTops.some((top) => path.startsWith(top))) return [];
    if (change.kind === "CREATED" && newTops.some((top) => path.startsWith(top))) return [];
    return [change];
  });
}

function key(change: WatchChange): string {
  return change.path.toString("latin1");
}
