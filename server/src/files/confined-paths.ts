import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readlink, realpath } from "node:fs/promises";
import { PermissionDenied } from "../util/errors.ts";
import { fileError, systemCode } from "./errno.ts";
import { maxLinks, tooManyLinks } from "./open-paths.ts";
import { absolutePath, dot, isAbsolute, isDotDot, joinPath, pathOf, pathText, splitPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { LocateOptions, Paths, Place } from "./place.ts";

/**
 * Paths under one directory, for good: each name is opened by itself, without following links, below the descriptor of
 * the one before, and links are followed by our own hand, each of their names opened in the same way. So a link that is
 * put in the place of a directory between a check and its use gains nothing: there is no check apart from the use.
 *
 * Linux alone has descriptors that stand for a place (O_PATH) and a way to go on from one by name (/proc/self/fd).
 */
export async function createConfinedPaths(root: PathBytes, workingDirectory: PathBytes): Promise<Paths> {
  const realRoot = await realpath(root, { encoding: "buffer" });
  const spellings = [splitPath(realRoot), splitPath(root)];
  const rootHandle = await open(realRoot, placeFlags | constants.O_DIRECTORY);
  const absolute = (path: PathBytes): PathBytes => absolutePath(workingDirectory, path);
  return {
    workingDirectory,
    isConfined: true,
    absolute,
    async locate<T>(path: PathBytes, options: LocateOptions, act: (place: Place) => Promise<T>): Promise<T> {
      const walk = new Walk(rootHandle, realRoot, spellings, absolute(path));
      try {
        const place = await walk.run(options);
        return await act(place);
      } catch (error) {
        throw fileError(error, walk.path);
      } finally {
        await walk.close();
      }
    },
    close: () => rootHandle.close(),
  };
}

/** Stands for a place and is not open for reading: needs no permission on it, and opens no device. */
const oPath = 0x200000;
const placeFlags = oPath | constants.O_NOFOLLOW;

class Walk {
  readonly path: PathBytes;
  readonly #root: FileHandle;
  readonly #rootPath: PathBytes;
  readonly #spellings: readonly PathBytes[][];
  /** The directories from the root's child to where the walk stands, so that ".." needs no kernel. */
  #trail: { handle: FileHandle; name: PathBytes }[] = [];

  constructor(root: FileHandle, rootPath: PathBytes, spellings: readonly PathBytes[][], path: PathBytes) {
    this.#root = root;
    this.#rootPath = rootPath;
    this.#spellings = spellings;
    this.path = path;
  }

  async run({ follow, createParents = false }: LocateOptions): Promise<Place> {
    const ahead = this.#belowRoot(splitPath(this.path));
    let links = 0;
    for (;;) {
      const name = ahead.shift();
      if (name === undefined) return this.#place(dot);
      if (isDotDot(name)) {
        await this.#goUp();
        continue;
      }
      const isLast = ahead.length === 0;
      if (isLast && follow === "no") return this.#place(name);
      const target = await this.#enter(name, isLast, createParents);
      if (target === "stay") return this.#place(name);
      if (target === undefined) continue;
      if (++links > maxLinks) throw tooManyLinks(this.path);
      if (isAbsolute(target)) {
        ahead.unshift(...this.#belowRoot(splitPath(target)));
        await this.close();
      } else {
        ahead.unshift(...splitPath(target));
      }
    }
  }

  async close(): Promise<void> {
    const trail = this.#trail;
    this.#trail = [];
    await Promise.all(trail.map(({ handle }) => handle.close()));
  }

  /** Goes down by one name. Answers a link's target, or "stay" where the walk ends at this name. */
  async #enter(name: PathBytes, isLast: boolean, create: boolean): Promise<PathBytes | "stay" | undefined> {
    const at = joinPath(this.#here(), name);
    let handle: FileHandle;
    try {
      handle = await open(at, placeFlags);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
      if (isLast) return "stay";
      if (!create) throw error;
      await mkdir(at).catch((error: unknown) => {
        if (systemCode(error) !== "EEXIST") throw error;
      });
      handle = await open(at, placeFlags);
    }
    try {
      const stats = await handle.stat();
      if (stats.isSymbolicLink()) {
        await handle.close();
        // Whatever the link says by now: its target is walked like any other path.
        return await readlink(at, { encoding: "buffer" });
      }
      if (isLast) {
        await handle.close();
        return "stay";
      }
    } catch (error) {
      await handle.close().catch(() => {});
      throw error;
    }
    // Where it is no directory, the next name below it says so.
    this.#trail.push({ handle, name });
    return undefined;
  }

  async #goUp(): Promise<void> {
    const last = this.#trail.pop();
    if (last === undefined) throw this.#outside();
    await last.handle.close();
  }

  /** The names below the root of an absolute path, which may spell the root as it was given or as it is. */
  #belowRoot(names: PathBytes[]): PathBytes[] {
    for (const root of this.#spellings) {
      if (root.every((name, index) => names[index]?.equals(name) === true)) return names.slice(root.length);
    }
    throw this.#outside();
  }

  #here(): PathBytes {
    const { fd } = this.#trail.at(-1)?.handle ?? this.#root;
    return Buffer.from(`/proc/self/fd/${fd}`);
  }

  #place(name: PathBytes): Place {
    const names = [...splitPath(this.#rootPath), ...this.#trail.map(({ name }) => name)];
    const directory = this.#here();
    const path = pathOf(name === dot ? names : [...names, name]);
    return { path, at: joinPath(directory, name), directory, name };
  }

  #outside(): PermissionDenied {
    const subject = pathText(this.path);
    return new PermissionDenied("PATH_OUTSIDE_ROOT", `The path leads out of the server's root: ${subject}`, {
      subject,
      remedy: `The server is confined to ${pathText(this.#rootPath)}.`,
      systemCode: "EACCES",
    });
  }
}
