import type { YonderError } from "../errors.ts";

/** A path that differs from the base. */
export interface GitChange {
  /** A path that became another kind of thing, a link for example, is UPDATED. */
  readonly status: "MOVED" | "ADDED" | "DELETED" | "UPDATED";
  /** Relative to the directory that was asked for. Lossy where the name is not UTF-8. */
  readonly path: string;
  /** The path byte for byte. Undefined unless the name is not UTF-8. */
  readonly rawPath: Buffer | undefined;
  /** Where it was before, with MOVED. */
  readonly oldPath: string | undefined;
  /** Where it was before, byte for byte. Undefined unless the name is not UTF-8. */
  readonly rawOldPath: Buffer | undefined;
  /** Whether git does not track it. */
  readonly untracked: boolean;
  /** Whether a merge left it in conflict. */
  readonly conflicted: boolean;
}

/** One file before and now. */
export interface GitDiff {
  readonly status: GitChange["status"] | "UNCHANGED";
  /** The text before, line ends as they are. Null where there was no file, or it is binary. */
  readonly original: string | null;
  /** The text now. Null where there is no file, or it is binary. */
  readonly modified: string | null;
  /** The same byte for byte, for texts that are not UTF-8. */
  readonly originalBytes: Buffer | null;
  readonly modifiedBytes: Buffer | null;
  /** The whole sizes in bytes. Null where there is no file. */
  readonly originalSize: number | null;
  readonly modifiedSize: number | null;
  readonly binary: boolean;
  /** Whether a text is longer than `maxBytes` and was cut there. */
  readonly truncated: boolean;
  /** Where the file was before, with MOVED, relative to what the path that was asked for is relative to. */
  readonly oldPath: string | undefined;
  readonly untracked: boolean;
  /** The unified diff; empty where nothing changed. */
  readonly unifiedDiff: string;
  /** The same byte for byte, for texts that are not UTF-8. */
  readonly unifiedDiffBytes: Buffer;
  readonly hunks: readonly GitHunk[];
}

/** One stretch of a unified diff. Lines count from 1. */
export interface GitHunk {
  readonly originalStart: number;
  readonly originalLines: number;
  readonly modifiedStart: number;
  readonly modifiedLines: number;
}

export type GitFileState =
  "UNMODIFIED" | "ADDED" | "DELETED" | "MODIFIED" | "RENAMED" | "TYPE_CHANGED" | "UNTRACKED" | "IGNORED";

export interface GitStatusEntry {
  readonly path: string;
  readonly rawPath: Buffer | undefined;
  /** What differs between HEAD and the index. */
  readonly indexState: GitFileState;
  /** What differs between the index and the disk. */
  readonly worktreeState: GitFileState;
  readonly oldPath: string | undefined;
  readonly conflicted: boolean;
}

export interface GitStatus {
  /** Undefined: HEAD is on none. */
  readonly branch: string | undefined;
  /** Undefined: there is no commit yet. */
  readonly headId: string | undefined;
  /** The branch that it follows. */
  readonly upstream: string | undefined;
  readonly ahead: number;
  readonly behind: number;
  readonly underway: "MERGE" | "REBASE" | "CHERRY_PICK" | "REVERT" | "BISECT" | undefined;
  /** The repository's directory, absolute. */
  readonly topLevel: string;
  readonly entries: readonly GitStatusEntry[];
}

export interface GitCommit {
  readonly sha: string;
  readonly shortSha: string;
  readonly subject: string;
  readonly body: string;
  readonly author: string;
  readonly authorEmail: string;
  readonly authorTime: Date;
  readonly committer: string;
  readonly committerEmail: string;
  readonly timestamp: Date;
  readonly parents: readonly string[];
}

export interface GitBranch {
  /** "main", "origin/main". */
  readonly name: string;
  readonly refName: string;
  readonly sha: string;
  readonly subject: string;
  readonly timestamp: Date;
  readonly current: boolean;
  readonly remote: boolean;
  readonly upstream: string | undefined;
  readonly upstreamGone: boolean;
  readonly ahead: number;
  readonly behind: number;
}

/** Where HEAD is. */
export interface GitHead {
  /** Undefined: there is no commit yet. */
  readonly headId: string | undefined;
  /** Undefined: HEAD is on none. */
  readonly branch: string | undefined;
}

export interface GitPulled extends GitHead {
  readonly oldHeadId: string | undefined;
}

export interface ClonedRepository extends GitHead {
  /** The directory, absolute. */
  readonly path: string;
}

/** A branch or tag that was moved, made (no `oldId`) or removed (no `newId`). */
export interface GitRefUpdate {
  readonly refName: string;
  readonly oldId: string | undefined;
  readonly newId: string | undefined;
}

export interface GitProgress {
  /** What git is doing, in its words: "Receiving objects". */
  readonly phase: string;
  readonly done: number;
  /** Undefined: not known. */
  readonly total: number | undefined;
  readonly detail: string;
}

/** What became of several clones. */
export interface CloneRepositoriesResult {
  readonly successCount: number;
  /** The URLs of those that failed, in their order. */
  readonly failedRepos: readonly string[];
  /** Why, by URL. */
  readonly errors: Readonly<Record<string, YonderError>>;
  /** Those that are there, by URL. */
  readonly repoMappings: Readonly<Record<string, ClonedSource>>;
}

export interface ClonedSource {
  readonly url: string;
  readonly dirName: string;
  readonly localPath: string;
  readonly ref: string | undefined;
}
