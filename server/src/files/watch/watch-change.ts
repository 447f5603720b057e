import type { FileKind } from "../file-info.ts";
import type { PathBytes } from "../path-bytes.ts";

/** One change of one name; the contract's WatchChange. */
export interface WatchChange {
  readonly kind: "CREATED" | "MODIFIED" | "REMOVED" | "RENAMED";
  /** Relative to what is watched; empty for itself. */
  readonly path: PathBytes;
  readonly oldPath?: PathBytes;
  readonly fileKind: FileKind;
}

/** What is told to a watcher. */
export type WatchNews =
  | { readonly type: "changes"; readonly changes: readonly WatchChange[] }
  | { readonly type: "resync"; readonly cause: string };
