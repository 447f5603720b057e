import { Aborted, InvalidRequest } from "../util/errors.ts";
import type { DiffSide } from "./diff-side.ts";
import type { DiffAnswer } from "./get-diff.ts";
import { findHunks, type Hunk } from "./hunks.ts";

/** A stretch of a text, and whether more comes after it. */
export interface Part {
  readonly data: Buffer;
  readonly truncated: boolean;
}

/** As much of a diff as fits into one reply. */
export interface DiffPart {
  readonly original: Part | undefined;
  readonly modified: Part | undefined;
  readonly unifiedDiff: Part;
  /** Those that begin in this part. */
  readonly hunks: readonly Hunk[];
}

const MOST_HUNKS = 10_000;
const NOTHING: Part = { data: Buffer.alloc(0), truncated: false };

/** The part of a diff from `offset` on, at most `maxBytes` of each of its texts. */
export function cutDiff(answer: DiffAnswer, offset: number, maxBytes: number, etag: string): DiffPart {
  if (etag !== "" && etag !== answer.etag) {
    throw new Aborted("FILE_CHANGED", "The file is not the one that the reply before was of", {
      subject: "etag",
      etag: answer.etag,
      remedy: "Begin again at offset 0.",
    });
  }
  const texts = answer.isBinary ? [] : [answer.original?.data, answer.modified?.data, answer.unifiedDiff];
  const longest = Math.max(0, ...texts.map((text) => text?.length ?? 0));
  if (offset > longest) {
    throw new InvalidRequest("INVALID_FIELD", `offset is ${offset}, past the end of what is ${longest} bytes long`, {
      subject: "offset",
    });
  }
  const part = (text: Buffer): Part => ({
    data: text.subarray(offset, offset + maxBytes),
    truncated: text.length > offset + maxBytes,
  });
  const side = (from: DiffSide | undefined): Part | undefined => {
    if (from === undefined) return undefined;
    return answer.isBinary || from.data === undefined ? NOTHING : part(from.data);
  };
  return {
    original: side(answer.original),
    modified: side(answer.modified),
    unifiedDiff: part(answer.unifiedDiff),
    hunks: findHunks(answer.unifiedDiff, offset, offset + maxBytes, MOST_HUNKS),
  };
}
