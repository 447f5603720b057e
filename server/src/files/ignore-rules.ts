import { readFile } from "node:fs/promises";
import ignore from "ignore";
import type { Ignore } from "ignore";
import { joinPath } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";

export interface IgnoreOptions {
  /** Patterns in the syntax of .gitignore, relative to the top of the tree. */
  readonly exclude: readonly string[];
  /** Honour the .gitignore files in the tree, and leave out .git. */
  readonly gitignore: boolean;
}

/** What is left out of a tree, as seen from one of its directories. */
export class IgnoreRules {
  readonly #options: IgnoreOptions;
  readonly #exclude: Ignore | undefined;
  /** The .gitignore files from the top to here, each with the path of its directory, which ends in "/". */
  readonly #files: readonly IgnoreFile[];

  private constructor(options: IgnoreOptions, exclude: Ignore | undefined, files: readonly IgnoreFile[]) {
    this.#options = options;
    this.#exclude = exclude;
    this.#files = files;
  }

  static create(options: IgnoreOptions): IgnoreRules {
    const exclude = options.exclude.length === 0 ? undefined : ignore().add([...options.exclude]);
    return new IgnoreRules(options, exclude, []);
  }

  /** The rules in a directory. `at` is its path for the kernel, `prefix` its path in the tree: "" or ending in "/". */
  async enter(at: PathBytes, prefix: string): Promise<IgnoreRules> {
    if (!this.#options.gitignore) return this;
    const text = await readFile(joinPath(at, ignoreName), "utf8").catch(() => undefined);
    if (text === undefined) return this;
    return new IgnoreRules(this.#options, this.#exclude, [...this.#files, { prefix, rules: ignore().add(text) }]);
  }

  /** Whether an entry is left out, by its path in the tree as text. */
  ignores(path: string, isDirectory: boolean): boolean {
    const name = isDirectory ? `${path}/` : path;
    if (this.#exclude?.ignores(name) === true) return true;
    if (!this.#options.gitignore) return false;
    if (path === ".git" || path.endsWith("/.git")) return true;
    // The file nearest to the entry has the last word.
    for (const { prefix, rules } of this.#files.toReversed()) {
      const { ignored, unignored } = rules.test(name.slice(prefix.length));
      if (ignored || unignored) return ignored;
    }
    return false;
  }
}

interface IgnoreFile {
  readonly prefix: string;
  readonly rules: Ignore;
}

const ignoreName = Buffer.from(".gitignore");
