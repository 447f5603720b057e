import { GitService, type GetDiffResponse, type GitDiffSide } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { Conflict } from "../errors.ts";
import { toWirePlace, type PathLike, type PlaceContext, type WirePlace } from "../files/wire-path.ts";
import { textOrNone, toStatus } from "./from-wire.ts";
import { READ_MS } from "./git-changes.ts";
import type { GitDiffOptions } from "./git-options.ts";
import type { GitDiff, GitHunk } from "./git-results.ts";

const MOST_BYTES = 64 * 1024 * 1024;
/** A file that changes again and again while it is fetched will not come to rest for us. */
const MOST_TRIES = 3;

/** One file before and now; what does not fit into one reply is fetched in parts and put together. */
export async function gitDiff(
  connection: Connection,
  context: PlaceContext,
  path: PathLike,
  options: GitDiffOptions = {},
): Promise<GitDiff> {
  for (let tries = 1; ; tries++) {
    try {
      return await fetchDiff(connection, toWirePlace(context, path, options.user), options);
    } catch (error) {
      const isChanged = Conflict.is(error) && error.reason === "FILE_CHANGED";
      if (!isChanged || tries === MOST_TRIES) throw error;
    }
  }
}

async function fetchDiff(
  connection: Connection,
  path: WirePlace,
  { ref = "", commit = "", contextLines, maxBytes = MOST_BYTES, signal }: GitDiffOptions,
): Promise<GitDiff> {
  const request = { ...path, baseRef: ref, commit, ...(contextLines !== undefined && { contextLines }) };
  const texts = { original: [] as Uint8Array[], modified: [] as Uint8Array[], unified: [] as Uint8Array[] };
  const hunks: GitHunk[] = [];
  let etag = "";
  for (let offset = 0; ;) {
    const call = { ...request, offset: BigInt(offset), etag };
    const part = await connection.call(GitService.method.getDiff, call, { signal, timeoutMs: READ_MS });
    texts.original.push(part.original?.data ?? none);
    texts.modified.push(part.modified?.data ?? none);
    texts.unified.push(part.unifiedDiff);
    hunks.push(...part.hunks.map(toHunk));
    ({ etag } = part);
    const length = Math.max(part.original?.data.length ?? 0, part.modified?.data.length ?? 0, part.unifiedDiff.length);
    offset += length;
    const isMore = part.original?.truncated === true || part.modified?.truncated === true || part.unifiedDiffTruncated;
    if (!isMore || length === 0 || offset >= maxBytes) return toGitDiff(part, texts, hunks, isMore, maxBytes);
  }
}

function toGitDiff(
  part: GetDiffResponse,
  texts: Record<"original" | "modified" | "unified", Uint8Array[]>,
  hunks: GitHunk[],
  isMore: boolean,
  maxBytes: number,
): GitDiff {
  const joined = (pieces: Uint8Array[]): Buffer => Buffer.concat(pieces).subarray(0, maxBytes);
  const bytes = (side: GitDiffSide | undefined, pieces: Uint8Array[]): Buffer | null =>
    side === undefined || part.binary ? null : joined(pieces);
  const originalBytes = bytes(part.original, texts.original);
  const modifiedBytes = bytes(part.modified, texts.modified);
  const whole = [part.original, part.modified].map((side) => Number(side?.sizeBytes ?? 0n));
  const isCut = isMore || (!part.binary && Math.max(...whole, Number(part.unifiedDiffSizeBytes)) > maxBytes);
  const unifiedDiffBytes = joined(texts.unified);
  return {
    status: toStatus(part.status),
    original: originalBytes?.toString("utf8") ?? null,
    modified: modifiedBytes?.toString("utf8") ?? null,
    originalBytes,
    modifiedBytes,
    originalSize: part.original === undefined ? null : Number(part.original.sizeBytes),
    modifiedSize: part.modified === undefined ? null : Number(part.modified.sizeBytes),
    binary: part.binary,
    truncated: isCut,
    oldPath: textOrNone(part.oldPath),
    untracked: part.untracked,
    unifiedDiff: unifiedDiffBytes.toString("utf8"),
    unifiedDiffBytes,
    hunks,
  };
}

function toHunk({ originalStart, originalLines, modifiedStart, modifiedLines }: GitHunk): GitHunk {
  return { originalStart, originalLines, modifiedStart, modifiedLines };
}

const none = new Uint8Array(0);
