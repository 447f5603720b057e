import { createHash } from "node:crypto";
import { combineCrc32, crc32 } from "@yonder/transfer";
import { Aborted, InvalidRequest } from "../util/errors.ts";
import type { FileInfo } from "./file-info.ts";
import { withPath } from "./errno.ts";
import { openFile } from "./open-file.ts";
import type { OpenFile } from "./open-file.ts";
import { pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths } from "./place.ts";
import { readChunk, readChunks } from "./read-chunks.ts";

export interface DownloadQuery {
  readonly path: PathBytes;
  readonly offset: number;
  readonly length: number | undefined;
  readonly ifMatch: string;
  /** The first byte that the SHA-256 covers, at most `offset`; undefined: none is computed. */
  readonly sha256From: number | undefined;
  readonly skipCrc32: boolean;
}

export type DownloadEvent =
  | { readonly type: "started"; readonly file: FileInfo; readonly offset: number; readonly length: number }
  | { readonly type: "chunk"; readonly offset: number; readonly data: Buffer; readonly crc32: number | undefined }
  | {
      readonly type: "finished";
      readonly sizeBytes: number;
      readonly crc32: number | undefined;
      readonly sha256: Buffer | undefined;
      readonly changed: boolean;
    };

/** Reads a file or a range of it: what it is, its bytes, and how it went. A chunk's bytes are good until the next event. */
export async function* download(paths: Paths, query: DownloadQuery): AsyncGenerator<DownloadEvent> {
  const file = await openFile(paths, query.path, query.ifMatch);
  let finished: DownloadEvent;
  try {
    const { begin, end, expected } = rangeOf(file.info, query.offset, query.length);
    yield { type: "started", file: file.info, offset: begin, length: expected };
    const hash = query.sha256From === undefined ? undefined : createHash("sha256");
    let position = begin;
    let whole = query.skipCrc32 ? undefined : 0;
    for await (const data of readChunks(file.handle, query.sha256From ?? begin, begin, { lend: true })) {
      hash?.update(data);
    }
    const chunks = readChunks(file.handle, begin, end, { lend: true });
    for (;;) {
      const { value: data, done } = await withPath(file.info.path, () => chunks.next());
      if (done === true || data === undefined) break;
      const digest = whole === undefined ? undefined : crc32(data);
      if (whole !== undefined && digest !== undefined) whole = combineCrc32(whole, digest, data.length);
      hash?.update(data);
      yield { type: "chunk", offset: position, data, crc32: digest };
      position += data.length;
    }
    const changed = await checkAfter(file, begin + expected - position);
    finished = { type: "finished", sizeBytes: position - begin, crc32: whole, sha256: hash?.digest(), changed };
  } finally {
    await file.handle.close();
  }
  // Told when the file is closed: a reader that has heard this asks for nothing more.
  yield finished;
}

export interface ReadResult {
  readonly file: FileInfo;
  readonly offset: number;
  readonly data: Buffer;
  readonly crc32: number;
  readonly truncated: boolean;
  readonly changed: boolean;
}

/** Reads a small file or a part of one. */
export async function readFile(
  paths: Paths,
  query: { path: PathBytes; offset: number; maxBytes: number; ifMatch: string },
): Promise<ReadResult> {
  const file = await openFile(paths, query.path, query.ifMatch);
  try {
    return await withPath(file.info.path, async () => {
      const { begin, end, expected } = rangeOf(file.info, query.offset, undefined);
      // A byte more than asked for tells whether the file goes on.
      const size = Math.min(query.maxBytes + 1, end - begin);
      const read = await readChunk(file.handle, begin, size);
      const data = read.length > query.maxBytes ? read.subarray(0, query.maxBytes) : read;
      const changed = await checkAfter(file, Math.min(expected, query.maxBytes) - data.length);
      const truncated = read.length > query.maxBytes;
      return { file: file.info, offset: begin, data, crc32: crc32(data), truncated, changed };
    });
  } finally {
    await file.handle.close();
  }
}

function rangeOf(
  info: FileInfo,
  offset: number,
  length: number | undefined,
): { begin: number; end: number; expected: number } {
  const size = Number(info.stats.size);
  // What the kernel makes up claims to be empty, or a page long: it is read until it ends.
  const isMadeUp = size === 0 || (info.stats.blocks === 0n && size <= 4096);
  if (offset > size && !isMadeUp) {
    throw new InvalidRequest("INVALID_FIELD", `The offset ${offset} lies past the end, at ${size}`, {
      subject: "offset",
      expectedOffset: size,
    });
  }
  const limit = length === undefined ? Infinity : offset + length;
  const end = Math.min(isMadeUp ? Number.MAX_SAFE_INTEGER : size, limit);
  return { begin: offset, end, expected: Math.max(0, Math.min(size, limit) - offset) };
}

/** Whether the file is another than when it was opened. Bytes that are missing since it was cut are an error. */
async function checkAfter({ handle, info }: OpenFile, missingBytes: number): Promise<boolean> {
  const stats = await handle.stat({ bigint: true });
  if (missingBytes > 0 && stats.size < info.stats.size) {
    const subject = pathText(info.path);
    throw new Aborted("FILE_CHANGED", `The file became shorter while it was read: ${subject}`, { subject });
  }
  // What is made up as it is read has a new time each time.
  if (info.stats.size === 0n && stats.size === 0n) return false;
  // Another name or mode is no other content.
  return stats.size !== info.stats.size || stats.mtimeNs !== info.stats.mtimeNs;
}
