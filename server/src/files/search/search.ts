import { fileError } from "../errno.ts";
import type { FileKind } from "../file-info.ts";
import { IgnoreRules } from "../ignore-rules.ts";
import { openDirectory } from "../directory.ts";
import { baseName, dot, joinPath, pathText } from "../path-bytes.ts";
import type { PathBytes } from "../path-bytes.ts";
import { readInfo } from "../file-info.ts";
import type { Paths } from "../place.ts";
import { walk } from "../walk.ts";
import { createGlobFilter } from "./glob-filter.ts";
import { createLineMatcher } from "./line-matcher.ts";
import type { LineMatch } from "./line-match.ts";
import { searchFile } from "./search-file.ts";
import { checkRegex, searchRegex } from "./ripgrep.ts";

export interface SearchQuery {
  readonly path: PathBytes;
  readonly globs: readonly string[];
  readonly content: { readonly literal: string } | { readonly regex: string } | undefined;
  readonly ignoreCase: boolean;
  readonly includeHidden: boolean;
  readonly includeIgnored: boolean;
  readonly maxMatches: number;
  readonly maxMatchesPerFile: number;
}

export interface SearchMatch extends Partial<LineMatch> {
  readonly path: PathBytes;
  readonly kind: FileKind;
}

export type SearchEvent =
  | { readonly type: "match"; readonly match: SearchMatch }
  /** Nothing was found for a while, and the search goes on. */
  | { readonly type: "heartbeat" }
  | {
      readonly type: "finished";
      readonly truncated: boolean;
      readonly matches: number;
      readonly unreadableFiles: number;
    };

/** What finds lines by a regular expression; undefined where there is nothing that can. */
export type RegexSearch = string | undefined;

/** Finds files by name, or lines by content, in the order of the names. */
export async function* search(
  paths: Paths,
  query: SearchQuery,
  ripgrep: RegexSearch,
  signal: AbortSignal,
): AsyncGenerator<SearchEvent> {
  const searcher = new Searcher(query, ripgrep, signal);
  await searcher.check();
  const root = await paths.locate(query.path, { follow: "target" }, (place) => readInfo(place.at, place.path, false));
  try {
    for await (const match of searcher.run(paths, root.path, root.kind === "DIRECTORY")) {
      if (searcher.matches >= query.maxMatches) {
        searcher.truncated = true;
        break;
      }
      searcher.matches++;
      yield { type: "match", match };
    }
  } catch (error) {
    throw fileError(error, root.path);
  }
  const { truncated, matches, unreadableFiles } = searcher;
  yield { type: "finished", truncated, matches, unreadableFiles };
}

class Searcher {
  truncated = false;
  matches = 0;
  unreadableFiles = 0;
  readonly #query: SearchQuery;
  readonly #ripgrep: RegexSearch;
  readonly #signal: AbortSignal;

  constructor(query: SearchQuery, ripgrep: RegexSearch, signal: AbortSignal) {
    this.#query = query;
    this.#ripgrep = ripgrep;
    this.#signal = signal;
  }

  async check(): Promise<void> {
    const { content, ignoreCase } = this.#query;
    if (content !== undefined && "regex" in content) await checkRegex(this.#ripgrep, content.regex, ignoreCase);
  }

  async *run(paths: Paths, root: PathBytes, isDirectory: boolean): AsyncGenerator<SearchMatch> {
    if (isDirectory) {
      const top = await paths.locate(root, { follow: "no" }, (place) => openDirectory(place.at, paths.isConfined));
      try {
        yield* this.#matchAll(this.#walk(joinPath(top.at, dot), paths.isConfined));
      } finally {
        await top.close();
      }
    } else {
      // Held open as long as it is read, through the directory that it lies in.
      const top = await paths.locate(root, { follow: "no" }, (place) =>
        openDirectory(joinPath(place.directory, dot), paths.isConfined),
      );
      const name = baseName(root);
      const at = joinPath(top.at, name);
      try {
        yield* this.#matchAll([{ path: name, at, kind: (await readInfo(at, name, false)).kind }]);
      } finally {
        await top.close();
      }
    }
  }

  async *#walk(top: PathBytes, pinned: boolean): AsyncGenerator<Candidate> {
    const { globs, includeHidden, includeIgnored, content } = this.#query;
    const isWanted = createGlobFilter(globs);
    const rules = IgnoreRules.create({ exclude: [], gitignore: !includeIgnored });
    const onUnreadable = (): void => void this.unreadableFiles++;
    for await (const { info, at } of walk(top, { depth: Infinity, rules, includeHidden, pinned, onUnreadable })) {
      if (this.#signal.aborted) return;
      if (content !== undefined && info.kind !== "REGULAR") continue;
      if (isWanted(pathText(info.path))) yield { path: info.path, at, kind: info.kind };
    }
  }

  async *#matchAll(candidates: AsyncIterable<Candidate> | Iterable<Candidate>): AsyncGenerator<SearchMatch> {
    const { content, ignoreCase, maxMatchesPerFile } = this.#query;
    if (content === undefined) {
      for await (const { path, kind } of candidates) yield { path, kind };
      return;
    }
    const limit = maxMatchesPerFile === 0 ? Infinity : maxMatchesPerFile;
    const onUnreadable = (): void => void this.unreadableFiles++;
    if ("regex" in content && this.#ripgrep !== undefined) {
      const options = { program: this.#ripgrep, regex: content.regex, ignoreCase, limit, signal: this.#signal };
      yield* searchRegex(candidates, { ...options, onUnreadable });
      return;
    }
    const matcher = createLineMatcher("literal" in content ? content.literal : "", ignoreCase);
    for await (const { path, at, kind } of candidates) {
      let count = 0;
      for await (const match of searchFile(at, matcher, onUnreadable)) {
        yield { path, kind, ...match };
        if (++count >= limit) break;
      }
    }
  }
}

export interface Candidate {
  readonly path: PathBytes;
  /** Its path for the kernel; good until the next one is taken. */
  readonly at: PathBytes;
  readonly kind: FileKind;
}
