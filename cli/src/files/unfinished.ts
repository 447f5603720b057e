import { createHash } from "node:crypto";
import { readdir, stat, unlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { makeDirectories } from "@yonder/transfer";
import { describeError } from "../frame/failure.ts";
import { escapeControls } from "../output/escape.ts";

/** How long it is remembered that a copy was broken off. */
const keptMs = 30 * 24 * 3_600_000;

/**
 * Remembers that the copy of a tree to a name that was free is under way. Whoever runs it again means the same target,
 * not a place within what the first run has made of it.
 */
export class Unfinished {
  readonly #directory = join(stateHome(), "yonder", "unfinished");
  readonly #path: string;

  /** A copy from here to there, on that host. */
  constructor(host: string, source: string | Buffer, target: string | Buffer) {
    const words = [host, source, target].map((word) => Buffer.from(word as string).toString("base64"));
    this.#path = join(this.#directory, createHash("sha256").update(words.join(" ")).digest("hex"));
  }

  /** Whether the same copy was begun and not ended. */
  async isKnown(): Promise<boolean> {
    const found = await stat(this.#path).catch(() => undefined);
    return found !== undefined && Date.now() - found.mtimeMs < keptMs;
  }

  /** A home in which nothing can be kept stops no copy: only one that breaks off is not known again. */
  async begin(): Promise<void> {
    try {
      await makeDirectories(this.#directory, 0o700);
      await this.#forgetOld();
      await writeFile(this.#path, "");
    } catch (error) {
      const why = `cannot remember in ${escapeControls(this.#directory)} that this copy was begun: ${describeError(error)}`;
      process.stderr.write(`yonder: ${why}; set XDG_STATE_HOME, or it cannot be gone on with if it breaks off\n`);
    }
  }

  async end(): Promise<void> {
    await unlink(this.#path).catch(() => {});
  }

  async #forgetOld(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs >= keptMs) await unlink(path).catch(() => {});
    }
  }
}

function stateHome(): string {
  const { XDG_STATE_HOME: base } = process.env;
  // By the specification, a relative one is to be ignored.
  return base?.startsWith("/") === true ? base : join(homedir(), ".local", "state");
}
