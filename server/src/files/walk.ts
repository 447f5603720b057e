import type { QuickDisk } from "@yonder/transfer";
import { openDirectory, readNames } from "./directory.ts";
import type { Directory } from "./directory.ts";
import { isMissing, systemCode } from "./errno.ts";
import { readInfo, readInfoNow } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import type { IgnoreRules } from "./ignore-rules.ts";
import { orderedMap } from "./ordered-map.ts";
import { isPartName } from "./part-file.ts";
import { joinPath, pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";

export interface WalkOptions<T> {
  /** How deep to go: 1 is the directory's own entries. */
  readonly depth: number;
  readonly rules: IgnoreRules;
  readonly includeHidden: boolean;
  /** Hold each directory by a descriptor, so that no link swapped in is followed. */
  readonly pinned: boolean;
  /** Begin after the entry with these names, in the order of the walk. */
  readonly after?: readonly string[];
  /** The names of a directory, sorted; for a list that reads the same directory for page after page. */
  readonly readNames?: (at: PathBytes) => Promise<string[]>;
  /** Told of each entry that may not be looked at, and of each directory below the top that may not be read. */
  readonly onUnreadable?: (error: unknown, path: PathBytes) => void;
  /** The disk that the tree lies on, if entries may be looked at on this thread where it is a quick one. */
  readonly disk?: QuickDisk;
  /** What else to read of each entry ahead of the reader, for example a small file's content. */
  readonly load?: Load<T>;
}

/** Reads something of an entry: at once, on this thread, or later. */
export interface Load<T> {
  now(at: PathBytes, info: FileInfo): T | undefined;
  later(at: PathBytes, info: FileInfo): Promise<T | undefined>;
}

export interface WalkEntry<T = undefined> {
  /** With the path relative to the top. */
  readonly info: FileInfo;
  /** The entry's path for the kernel; good until the walk goes on. */
  readonly at: PathBytes;
  readonly loaded: T | undefined;
}

/**
 * Goes through a tree in the order of the names' bytes, each directory before what is in it. Links are told and not
 * followed; what goes away meanwhile or may not be read is passed over, but not the top.
 */
export async function* walk<T = undefined>(top: PathBytes, options: WalkOptions<T>): AsyncGenerator<WalkEntry<T>> {
  const directory = await openDirectory(top, options.pinned);
  try {
    const names = await (options.readNames ?? readNames)(directory.at);
    yield* walkNames(directory, names, "", 1, options.rules, options.after ?? [], options);
  } finally {
    await directory.close();
  }
}

async function* walkNames<T>(
  directory: Directory,
  sorted: readonly string[],
  prefix: string,
  level: number,
  outerRules: IgnoreRules,
  after: readonly string[],
  options: WalkOptions<T>,
): AsyncGenerator<WalkEntry<T>> {
  const rules = await outerRules.enter(directory.at, text(prefix));
  const [first, ...rest] = after;
  const begin = first === undefined ? 0 : lowerBound(sorted, first);
  const names = sorted.slice(begin).filter((name) => isShown(name, options.includeHidden));
  const { disk, load } = options;
  const isLeftOut = ({ path, kind }: FileInfo): boolean => rules.ignores(pathText(path), kind === "DIRECTORY");
  const read = async (name: string): Promise<WalkEntry<T> | undefined> => {
    const at = joinPath(directory.at, Buffer.from(name, "latin1"));
    const path = Buffer.from(prefix + name, "latin1");
    if (disk?.isQuick === true) {
      return disk.run(() => {
        const info = orPassOver(() => readInfoNow(at, path), path, options);
        if (info === undefined || isLeftOut(info)) return undefined;
        return { info, at, loaded: load?.now(at, info) };
      });
    }
    const info = await readInfo(at, path, false).catch((error: unknown) => passOver(error, path, options));
    if (info === undefined || isLeftOut(info)) return undefined;
    return { info, at, loaded: await load?.later(at, info) };
  };
  for await (const entry of orderedMap(names, lookAhead, read)) {
    if (entry === undefined) continue;
    const { info } = entry;
    const path = info.path.toString("latin1");
    const isDirectory = info.kind === "DIRECTORY";
    const isFirst = path.slice(prefix.length) === first;
    if (!isFirst) yield entry;
    if (!isDirectory || level >= options.depth) continue;
    const unreadable = (error: unknown): undefined => passOver(error, info.path, options);
    const child = await directory.open(info.path.subarray(prefix.length)).catch(unreadable);
    if (child === undefined) continue;
    try {
      const childNames = (await (options.readNames ?? readNames)(child.at).catch(unreadable)) ?? [];
      yield* walkNames(child, childNames, `${path}/`, level + 1, rules, isFirst ? rest : [], options);
    } finally {
      await child.close();
    }
  }
}

function orPassOver<T, R>(act: () => R, path: PathBytes, options: WalkOptions<T>): R | undefined {
  try {
    return act();
  } catch (error) {
    return passOver(error, path, options);
  }
}

/** What is gone, or became something else, is passed over without a word. */
function passOver<T>(error: unknown, path: PathBytes, { onUnreadable }: WalkOptions<T>): undefined {
  const code = systemCode(error);
  const isRefused = code === "EACCES" || code === "EPERM";
  if (!isRefused && !isMissing(error) && code !== "ELOOP" && code !== "EINVAL") throw error;
  if (isRefused) onUnreadable?.(error, path);
}

function isShown(name: string, includeHidden: boolean): boolean {
  return name.startsWith(".") ? includeHidden && !isPartName(Buffer.from(name, "latin1")) : true;
}

function text(latin1: string): string {
  return pathText(Buffer.from(latin1, "latin1"));
}

/** The index of the first name that is not before this one. */
function lowerBound(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? "") < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many entries are looked at ahead of the reader. */
const lookAhead = 16;
