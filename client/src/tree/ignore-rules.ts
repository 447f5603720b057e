import { readFile } from "node:fs/promises";
import ignore from "ignore";
import type { Ignore } from "ignore";

export interface IgnoreOptions {
  /** Leave out what these patterns match, in the syntax of .gitignore, relative to the directory. Default: nothing. */
  exclude?: readonly string[] | undefined;
  /** Leave out what .gitignore files in the tree say, and .git directories. Default false. */
  gitignore?: boolean | undefined;
}

interface IgnoreFile {
  readonly prefix: string;
  readonly rules: Ignore;
}

/** What is left out of a tree on this machine, as seen from one of its directories. */
export class IgnoreRules {
  readonly #gitignore: boolean;
  readonly #exclude: Ignore | undefined;
  /** The .gitignore files from the top to here, each with the path of its directory, which ends in "/". */
  readonly #files: readonly IgnoreFile[];

  constructor({ exclude = [], gitignore = false }: IgnoreOptions, files: readonly IgnoreFile[] = []) {
    this.#gitignore = gitignore;
    this.#exclude = exclude.length === 0 ? undefined : ignore().add([...exclude]);
    this.#files = files;
  }

  /** The rules in a directory, by its path on this machine and in the tree ("" or ending in "/"). */
  async enter(directory: Buffer, prefix: string, options: IgnoreOptions): Promise<IgnoreRules> {
    if (!this.#gitignore) return this;
    const path = Buffer.concat([directory, Buffer.from("/.gitignore")]);
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) return this;
    return new IgnoreRules(options, [...this.#files, { prefix, rules: ignore().add(text) }]);
  }

  /** Whether an entry is left out, by its path in the tree as text. */
  ignores(path: string, isDirectory: boolean): boolean {
    const name = isDirectory ? `${path}/` : path;
    if (this.#exclude?.ignores(name) === true) return true;
    if (!this.#gitignore) return false;
    if (path === ".git" || path.endsWith("/.git")) return true;
    // The file nearest to the entry has the last word.
    for (const { prefix, rules } of this.#files.toReversed()) {
      const { ignored, unignored } = rules.test(name.slice(prefix.length));
      if (ignored || unignored) return ignored;
    }
    return false;
  }
}
