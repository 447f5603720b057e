import type { DescEnum } from "@bufbuild/protobuf";
import {
  GitChangeStatusSchema,
  GitFileStateSchema,
  GitUnderwaySchema,
  type GetStatusResponse,
  type GitBranch as WireBranch,
  type GitChange as WireChange,
  type GitCommit as WireCommit,
  type GitRefUpdate as WireRefUpdate,
  type GitStatusEntry as WireStatusEntry,
} from "@yonder/proto";
import { enumName, timestampToDate } from "../connection/wire-values.ts";
import type {
  GitBranch,
  GitChange,
  GitCommit,
  GitDiff,
  GitFileState,
  GitHead,
  GitRefUpdate,
  GitStatus,
  GitStatusEntry,
} from "./git-results.ts";

export function toGitChange(change: WireChange): GitChange {
  return {
    status: toStatus(change.status) as GitChange["status"],
    path: change.path,
    rawPath: bytesOrNone(change.rawPath),
    oldPath: textOrNone(change.oldPath),
    rawOldPath: bytesOrNone(change.rawOldPath),
    untracked: change.untracked,
    conflicted: change.conflicted,
  };
}

/** The models of old know no change of type. */
export function toStatus(status: number): GitDiff["status"] {
  const name = nameOf(GitChangeStatusSchema, status);
  return name === "MOVED" || name === "ADDED" || name === "DELETED" || name === "UNCHANGED" ? name : "UPDATED";
}

export function toGitStatus(status: GetStatusResponse): Omit<GitStatus, "entries"> {
  return {
    branch: textOrNone(status.branch),
    headId: textOrNone(status.headId),
    upstream: textOrNone(status.upstream),
    ahead: status.ahead,
    behind: status.behind,
    underway: nameOf(GitUnderwaySchema, status.underway) as GitStatus["underway"],
    topLevel: status.topLevel,
  };
}

export function toStatusEntry(entry: WireStatusEntry): GitStatusEntry {
  return {
    path: entry.path,
    rawPath: bytesOrNone(entry.rawPath),
    indexState: (nameOf(GitFileStateSchema, entry.indexState) ?? "MODIFIED") as GitFileState,
    worktreeState: (nameOf(GitFileStateSchema, entry.worktreeState) ?? "MODIFIED") as GitFileState,
    oldPath: textOrNone(entry.oldPath),
    conflicted: entry.conflicted,
  };
}

export function toGitCommit({ author, committer, ...commit }: WireCommit): GitCommit {
  return {
    sha: commit.commitId,
    shortSha: commit.shortId,
    subject: commit.subject,
    body: commit.body,
    author: author?.name ?? "",
    authorEmail: author?.email ?? "",
    authorTime: timestampToDate(author?.time) ?? new Date(0),
    committer: committer?.name ?? "",
    committerEmail: committer?.email ?? "",
    timestamp: timestampToDate(committer?.time) ?? new Date(0),
    parents: commit.parentIds,
  };
}

export function toGitBranch(branch: WireBranch): GitBranch {
  const { name, refName, subject, current, remote, upstreamGone, ahead, behind } = branch;
  return {
    name,
    refName,
    sha: branch.commitId,
    subject,
    timestamp: timestampToDate(branch.commitTime) ?? new Date(0),
    current,
    remote,
    upstream: textOrNone(branch.upstream),
    upstreamGone,
    ahead,
    behind,
  };
}

export function toRefUpdate({ refName, oldId, newId }: WireRefUpdate): GitRefUpdate {
  return { refName, oldId: textOrNone(oldId), newId: textOrNone(newId) };
}

export function toGitHead({ headId, branch }: { headId: string; branch: string }): GitHead {
  return { headId: textOrNone(headId), branch: textOrNone(branch) };
}

export function textOrNone(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function bytesOrNone(bytes: Uint8Array): Buffer | undefined {
  return bytes.length === 0 ? undefined : Buffer.from(bytes);
}

function nameOf(schema: DescEnum, value: number): string | undefined {
  return enumName(schema, value);
}
