import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { LimitExceeded } from "../../util/errors.ts";
import { systemCode } from "../errno.ts";
import type { IgnoreRules } from "../ignore-rules.ts";
import { pathText } from "../path-bytes.ts";
import type { PathBytes } from "../path-bytes.ts";
import type { Seen } from "./snapshot.ts";

/** A directory with the kernel's watch on it and what was last seen in it. */
export class WatchedDirectory {
  /** Relative to the top, in latin1; "" for the top. */
  path: string;
  readonly inode: string;
  readonly rules: IgnoreRules;
  /** What was last seen, by name in latin1. */
  entries = new Map<string, Seen>();
  /** The names that the kernel told of since they were looked at; "all" where it told of too many, or of none. */
  dirty: Set<string> | "all" = new Set();
  readonly #watcher: FSWatcher;

  /** @param at its path for the kernel, needed only now: the watch is on the directory and not on its name */
  constructor(
    path: string,
    inode: string,
    at: PathBytes,
    rules: IgnoreRules,
    onEvent: (from: WatchedDirectory) => void,
  ) {
    this.path = path;
    this.inode = inode;
    this.rules = rules;
    this.#watcher = startWatch(at, (name) => {
      if (name === null || this.dirty === "all" || this.dirty.size >= maxDirtyNames) this.dirty = "all";
      else this.dirty.add(name);
      onEvent(this);
    });
  }

  /** Takes the names that are to be looked at. */
  takeDirty(): Set<string> | "all" {
    const { dirty } = this;
    this.dirty = new Set();
    return dirty;
  }

  close(): void {
    this.#watcher.close();
  }
}

/** Watches a directory; throws MACHINE_EXHAUSTED where the kernel has no watch left. */
export function startWatch(at: PathBytes, onName: (name: string | null) => void): FSWatcher {
  try {
    const watcher = watch(at, { encoding: "latin1", persistent: false }, (_, name) => onName(name));
    // The directory is gone; its parent tells so too.
    watcher.on("error", () => onName(null));
    return watcher;
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOSPC" && code !== "EMFILE") throw error;
    const name = code === "ENOSPC" ? "max_user_watches" : "max_user_instances";
    throw new LimitExceeded("MACHINE_EXHAUSTED", "The kernel watches no more directories", {
      subject: pathText(at),
      systemCode: code,
      remedy: `Raise fs.inotify.${name} with sysctl, watch fewer directories, or exclude some.`,
      cause: error,
    });
  }
}

const maxDirtyNames = 1_000;
