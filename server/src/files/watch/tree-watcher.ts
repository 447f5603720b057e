import { LimitExceeded } from "../../util/errors.ts";
import { closing, openDirectory } from "../directory.ts";
import type { Directory } from "../directory.ts";
import { isMissing, systemCode } from "../errno.ts";
import { IgnoreRules } from "../ignore-rules.ts";
import type { IgnoreOptions } from "../ignore-rules.ts";
import { joinPath, pathText, splitPath } from "../path-bytes.ts";
import type { PathBytes } from "../path-bytes.ts";
import type { Paths } from "../place.ts";
import type { Burst } from "./burst.ts";
import { pairRenames } from "./pair-renames.ts";
import { isHidden, look, lookInto } from "./snapshot.ts";
import type { Seen } from "./snapshot.ts";
import type { WatchChange, WatchNews } from "./watch-change.ts";
import { WatchedDirectory } from "./watched-directory.ts";

export interface TreeWatcherOptions extends IgnoreOptions {
  readonly paths: Paths;
  /** The directory, absolute. */
  readonly path: PathBytes;
  readonly recursive: boolean;
  /** Tell of this name alone, in latin1: a single file is watched through its directory. */
  readonly only: string | undefined;
  readonly maxDirectories: number;
  readonly burst: Burst;
  readonly onNews: (news: WatchNews) => void;
}

/**
 * Watches a tree by one plain watch of the kernel a directory. An event says only where to look: what changed is found by
 * comparing with what was last seen, so nothing is told twice, and changes in quick succession are told once.
 */
export class TreeWatcher {
  readonly #options: TreeWatcherOptions;
  readonly #directories = new Map<string, WatchedDirectory>();
  readonly #unsubscribe: () => void;
  #root: Seen | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #resyncCause: string | undefined;
  #isClosed = false;

  constructor(options: TreeWatcherOptions) {
    this.#options = options;
    this.#unsubscribe = options.burst.subscribe(() => {
      this.#resyncCause = "So many changes came at once that the kernel may have dropped some.";
      this.#schedule();
    });
  }

  /** Begins: what is there now is not told. */
  async start(): Promise<void> {
    try {
      await this.#atTop((top) => this.#enterRoot(top, []));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#unsubscribe();
    for (const directory of this.#directories.values()) directory.close();
    this.#directories.clear();
  }

  /** Runs `act` with the top held open. */
  #atTop<T>(act: (top: Directory) => Promise<T>): Promise<T> {
    const { paths, path } = this.#options;
    return paths.locate(path, { follow: "yes" }, async (place) => {
      const top = await openDirectory(place.at, paths.isConfined);
      return closing(top, act);
    });
  }

  async #enterRoot(top: Directory, created: WatchChange[]): Promise<void> {
    this.#root = await look(joinPath(top.at, Buffer.from(".")));
    await this.#enter(top, "", this.#root?.inode ?? "", IgnoreRules.create(this.#options), created);
  }

  /** Watches a directory and what is below it; what it finds there is added to `created`. */
  async #enter(
    directory: Directory,
    path: string,
    inode: string,
    outerRules: IgnoreRules,
    created: WatchChange[],
  ): Promise<void> {
    if (this.#directories.size >= this.#options.maxDirectories) throw this.#tooMany();
    const prefix = path === "" ? "" : `${path}/`;
    const rules = await outerRules.enter(directory.at, text(prefix));
    if (this.#isClosed) return;
    // Watched before it is read, so that nothing comes in between.
    const watched = new WatchedDirectory(path, inode, directory.at, rules, () => this.#onEvent());
    this.#directories.get(path)?.close();
    this.#directories.set(path, watched);
    for (const [name, seen] of await lookInto(directory.at)) {
      if (!this.#isWanted(watched, name, seen)) continue;
      watched.entries.set(name, seen);
      created.push({ kind: "CREATED", path: Buffer.from(prefix + name, "latin1"), fileKind: seen.kind });
      await this.#enterChild(directory, watched, name, seen, created);
    }
  }

  async #enterChild(
    directory: Directory,
    watched: WatchedDirectory,
    name: string,
    seen: Seen,
    created: WatchChange[],
  ): Promise<void> {
    if (seen.kind !== "DIRECTORY" || !this.#options.recursive) return;
    const path = watched.path === "" ? name : `${watched.path}/${name}`;
    try {
      const child = await directory.open(Buffer.from(name, "latin1"));
      await closing(child, () => this.#enter(child, path, seen.inode, watched.rules, created));
    } catch (error) {
      const code = systemCode(error);
      if (!isMissing(error) && code !== "EACCES" && code !== "ELOOP") throw error;
    }
  }

  #isWanted(watched: WatchedDirectory, name: string, seen: Seen): boolean {
    const { only } = this.#options;
    if (only !== undefined) return name === only;
    const path = watched.path === "" ? name : `${watched.path}/${name}`;
    return !watched.rules.ignores(text(path), seen.kind === "DIRECTORY");
  }

  #onEvent(): void {
    this.#options.burst.count();
    this.#schedule();
  }

  #schedule(delayMs = coalesceMs): void {
    if (this.#isClosed || this.#isLooking) return;
    this.#timer ??= setTimeout(() => void this.#look(), delayMs).unref();
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#isLooking = true;
    try {
      if (this.#resyncCause === undefined) await this.#tellChanges();
      else await this.#resync(this.#resyncCause);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#resyncCause = `Looking at what changed failed: ${message}`;
    } finally {
      this.#isLooking = false;
    }
    if (this.#root === undefined) return this.#schedule(returnMs);
    const isDirty = [...this.#directories.values()].some(({ dirty }) => dirty === "all" || dirty.size > 0);
    if (this.#resyncCause !== undefined) this.#schedule(returnMs);
    else if (isDirty) this.#schedule();
  }

  async #tellChanges(): Promise<void> {
    const changes: WatchChange[] = [];
    const root = await this.#lookAtRoot();
    if (this.#root !== undefined && root?.inode !== this.#root.inode) this.#leaveRoot(changes);
    if (root !== undefined) {
      await this.#atTop(async (top) => {
        if (this.#root !== undefined) return this.#compareAll(top, changes);
        changes.push({ kind: "CREATED", path: noPath, fileKind: root.kind });
        await this.#enterRoot(top, changes);
      });
    }
    const paired = pairRenames(changes, (path) => this.#seenBefore.get(path));
    this.#seenBefore.clear();
    const told = this.#options.only === undefined ? paired : paired.map((change) => ({ ...change, path: noPath }));
    for (let begin = 0; begin < told.length; begin += maxBundle) {
      this.#options.onNews({ type: "changes", changes: told.slice(begin, begin + maxBundle) });
    }
  }

  /** The inodes of what is told as removed or created, to find out what was renamed. */
  readonly #seenBefore = new Map<string, string>();

  async #lookAtRoot(): Promise<Seen | undefined> {
    const { paths, path } = this.#options;
    const found = paths.locate(path, { follow: "yes" }, (place) => look(joinPath(place.at, Buffer.from("."))));
    return found.catch(() => undefined);
  }

  #leaveRoot(changes: WatchChange[]): void {
    const kind = this.#root?.kind ?? "DIRECTORY";
    this.#leave("", []);
    this.#root = undefined;
    changes.push({ kind: "REMOVED", path: noPath, fileKind: kind });
  }

  async #compareAll(top: Directory, changes: WatchChange[]): Promise<void> {
    const dirty = [...this.#directories.values()].filter(({ dirty }) => dirty === "all" || dirty.size > 0);
    dirty.sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const watched of dirty) {
      // It may have gone while the ones before it were compared.
      if (this.#directories.get(watched.path) !== watched) continue;
      const directory = await descend(top, watched.path);
      if (directory === undefined) continue;
      if (directory === top) await this.#compare(top, watched, changes);
      else await closing(directory, () => this.#compare(directory, watched, changes));
    }
  }

  async #compare(directory: Directory, watched: WatchedDirectory, changes: WatchChange[]): Promise<void> {
    const dirty = watched.takeDirty();
    const now = await this.#present(directory, dirty);
    const names = dirty === "all" ? new Set([...watched.entries.keys(), ...now.keys()]) : dirty;
    if (this.#options.gitignore && names.has(".gitignore")) this.#resyncCause = "What is ignored has changed.";
    const prefix = watched.path === "" ? "" : `${watched.path}/`;
    for (const name of names) {
      const [before, after] = [watched.entries.get(name), now.get(name)];
      const wanted = after !== undefined && this.#isWanted(watched, name, after) ? after : undefined;
      const path = prefix + name;
      if (before !== undefined && before.inode === wanted?.inode && before.kind === wanted.kind) {
        watched.entries.set(name, wanted);
        if (before.state !== wanted.state) changes.push(change("MODIFIED", path, wanted));
        continue;
      }
      const isReplaced =
        before !== undefined && wanted !== undefined && before.kind !== "DIRECTORY" && wanted.kind !== "DIRECTORY";
      if (before !== undefined) {
        watched.entries.delete(name);
        if (before.kind === "DIRECTORY") this.#leave(path, changes);
        this.#seenBefore.set(`-${path}`, before.inode);
        if (!isReplaced) changes.push(change("REMOVED", path, before));
      }
      if (wanted === undefined) continue;
      watched.entries.set(name, wanted);
      this.#seenBefore.set(`+${path}`, wanted.inode);
      changes.push(change(isReplaced ? "MODIFIED" : "CREATED", path, wanted));
      await this.#enterChild(directory, watched, name, wanted, changes);
    }
  }

  async #present(directory: Directory, dirty: Set<string> | "all"): Promise<Map<string, Seen>> {
    if (dirty === "all") {
      return lookInto(directory.at).catch((error: unknown) => {
        if (isMissing(error)) return new Map<string, Seen>();
        throw error;
      });
    }
    const now = new Map<string, Seen>();
    for (const name of dirty) {
      if (isHidden(name)) continue;
      const seen = await look(joinPath(directory.at, Buffer.from(name, "latin1")));
      if (seen !== undefined) now.set(name, seen);
    }
    return now;
  }

  /** Stops watching a directory and what is below it, and tells what was seen there as removed. */
  #leave(path: string, changes: WatchChange[]): void {
    for (const [key, watched] of this.#directories) {
      if (path !== "" && key !== path && !key.startsWith(`${path}/`)) continue;
      watched.close();
      this.#directories.delete(key);
      for (const [name, seen] of watched.entries) {
        const entry = key === "" ? name : `${key}/${name}`;
        this.#seenBefore.set(`-${entry}`, seen.inode);
        changes.push(change("REMOVED", entry, seen));
      }
    }
  }

  /** Forgets what was seen and begins again. */
  async #resync(cause: string): Promise<void> {
    this.#resyncCause = undefined;
    for (const directory of this.#directories.values()) directory.close();
    this.#directories.clear();
    this.#root = await this.#lookAtRoot();
    if (this.#root !== undefined) await this.#atTop((top) => this.#enterRoot(top, []));
    this.#options.onNews({ type: "resync", cause });
  }

  #tooMany(): LimitExceeded {
    const { maxDirectories } = this.#options;
    return new LimitExceeded("LIMIT_EXCEEDED", `A watch spans at most ${maxDirectories} directories`, {
      limit: { name: "max_watched_directories", value: maxDirectories },
      remedy: "Exclude some, or watch a part of the tree.",
    });
  }
}

/** The directory of this path below the top; undefined where it is gone. */
async function descend(top: Directory, path: string): Promise<Directory | undefined> {
  let directory = top;
  for (const name of splitPath(Buffer.from(path, "latin1"))) {
    const next = await directory.open(name).catch(() => undefined);
    if (directory !== top) await directory.close();
    if (next === undefined) return undefined;
    directory = next;
  }
  return directory;
}

function change(kind: WatchChange["kind"], path: string, seen: Seen): WatchChange {
  return { kind, path: Buffer.from(path, "latin1"), fileKind: seen.kind };
}

function text(latin1: string): string {
  return pathText(Buffer.from(latin1, "latin1"));
}

const noPath = Buffer.alloc(0);
/** How long changes are gathered before they are told. */
const coalesceMs = 50;
/** How often it is looked whether a directory that went has come back. */
const returnMs = 250;
/** How many changes go into one message at most. */
const maxBundle = 1_000;
