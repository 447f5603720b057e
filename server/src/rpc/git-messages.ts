import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  GitBaseChoice,
  GitChangeStatus,
  GitFileState,
  GitUnderway,
  type GetDiffResponseSchema,
  type GitBranchSchema,
  type GitChangeSchema,
  type GitCommitSchema,
  type GitComparisonSchema,
  type GitDiffSideSchema,
  type GitProgressSchema,
  type GitRefUpdateSchema,
  type GitSignatureSchema,
  type GitStatusEntrySchema,
} from "@yonder/proto";
import type { DiffPart, Part } from "../git/diff-part.ts";
import type { RefUpdate } from "../git/fetch.ts";
import type { DiffSide } from "../git/diff-side.ts";
import type { DiffAnswer } from "../git/get-diff.ts";
import type { StatusEntry } from "../git/get-status.ts";
import type { Branch } from "../git/list-branches.ts";
import type { Comparison } from "../git/list-changes.ts";
import type { Commit, Signature } from "../git/list-commits.ts";
import type { Progress } from "../git/progress.ts";
import type { Change } from "../git/raw-diff.ts";
import { pathText } from "../util/path-text.ts";

export function changeMessage(change: Change): MessageInitShape<typeof GitChangeSchema> {
  return {
    ...paths(change.path, change.oldPath),
    status: GitChangeStatus[change.status],
    similarity: change.similarity,
    untracked: change.untracked,
    conflicted: change.conflicted,
    oldMode: change.oldMode,
    newMode: change.newMode,
  };
}

export function comparisonMessage({ path, base, problem }: Comparison): MessageInitShape<typeof GitComparisonSchema> {
  const { text, bytes } = pathText(path);
  return {
    path: text,
    rawPath: bytes,
    baseId: base?.id ?? "",
    baseChoice: GitBaseChoice[base?.choice ?? "UNSPECIFIED"],
    headId: base?.headId ?? "",
    problem,
  };
}

export function diffMessage(answer: DiffAnswer, part: DiffPart): MessageInitShape<typeof GetDiffResponseSchema> {
  const { text, bytes } = pathText(answer.oldPath ?? Buffer.alloc(0));
  return {
    status: GitChangeStatus[answer.status],
    oldPath: text,
    rawOldPath: bytes,
    ...(answer.original === undefined ? {} : { original: sideMessage(answer.original, part.original) }),
    ...(answer.modified === undefined ? {} : { modified: sideMessage(answer.modified, part.modified) }),
    binary: answer.isBinary,
    unifiedDiff: part.unifiedDiff.data,
    unifiedDiffSizeBytes: BigInt(answer.unifiedDiff.length),
    unifiedDiffTruncated: part.unifiedDiff.truncated,
    hunks: part.hunks.map(({ offset, length, ...lines }) => ({
      ...lines,
      diffOffset: BigInt(offset),
      diffLength: BigInt(length),
    })),
    comparison: comparisonMessage({ path: Buffer.alloc(0), base: answer.base, problem: "" }),
    etag: answer.etag,
    untracked: answer.untracked,
  };
}

function sideMessage(
  { sizeBytes, mode, objectId }: DiffSide,
  part: Part | undefined,
): MessageInitShape<typeof GitDiffSideSchema> {
  return { ...part, sizeBytes: BigInt(sizeBytes), mode, contentId: objectId };
}

export function statusEntryMessage(entry: StatusEntry): MessageInitShape<typeof GitStatusEntrySchema> {
  return {
    ...paths(entry.path, entry.oldPath),
    indexState: GitFileState[entry.indexState],
    worktreeState: GitFileState[entry.worktreeState],
    conflicted: entry.conflicted,
  };
}

export function underwayValue(underway: keyof typeof GitUnderway | undefined): GitUnderway {
  return GitUnderway[underway ?? "UNSPECIFIED"];
}

export function commitMessage(commit: Commit): MessageInitShape<typeof GitCommitSchema> {
  return {
    commitId: commit.id,
    shortId: commit.shortId,
    parentIds: [...commit.parentIds],
    subject: commit.subject,
    body: commit.body,
    author: signatureMessage(commit.author),
    committer: signatureMessage(commit.committer),
  };
}

function signatureMessage({ name, email, timeSeconds }: Signature): MessageInitShape<typeof GitSignatureSchema> {
  return { name, email, time: timestampFromMs(timeSeconds * 1_000) };
}

export function branchMessage(branch: Branch): MessageInitShape<typeof GitBranchSchema> {
  const { timeSeconds, ...rest } = branch;
  return { ...rest, commitTime: timestampFromMs(timeSeconds * 1_000) };
}

export function progressMessage({ phase, done, total, detail }: Progress): MessageInitShape<typeof GitProgressSchema> {
  return { phase, done: BigInt(done), total: BigInt(total), detail };
}

/** How many of the refs that an operation moved are told. */
const MOST_UPDATES = 1_000;

export function updatesMessage(updates: readonly RefUpdate[]): {
  updates: MessageInitShape<typeof GitRefUpdateSchema>[];
  truncated: boolean;
} {
  return { updates: updates.slice(0, MOST_UPDATES), truncated: updates.length > MOST_UPDATES };
}

function paths(
  path: Buffer,
  oldPath: Buffer | undefined,
): { path: string; rawPath: Uint8Array; oldPath: string; rawOldPath: Uint8Array } {
  const now = pathText(path);
  const before = oldPath === undefined ? NO_PATH : pathText(oldPath);
  return { path: now.text, rawPath: now.bytes, oldPath: before.text, rawOldPath: before.bytes };
}

const NO_PATH = { text: "", bytes: new Uint8Array() };
