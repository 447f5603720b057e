import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { InvalidRequest } from "../util/errors.ts";
import { readNames } from "./directory.ts";
import { etagOf, fileInfo } from "./file-info.ts";
import type { FileInfo, FileKind } from "./file-info.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import type { IgnoreOptions } from "./ignore-rules.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths } from "./place.ts";
import { readChunks } from "./read-chunks.ts";
import { walk } from "./walk.ts";

export interface ListQuery extends IgnoreOptions {
  readonly path: PathBytes;
  readonly depth: number;
  readonly includeHidden: boolean;
  readonly kind: FileKind | undefined;
  readonly sha256: boolean;
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface ListPage {
  readonly files: readonly FileInfo[];
  readonly nextPageToken: string;
}

/** Lists trees page by page. A page goes on after the key of the one before, so nothing is kept for a client. */
export class Lister {
  readonly #paths: Paths;
  /** The names of large directories that were read lately, since a page needs all of them to know its own. */
  readonly #names = new Map<string, { etag: string; names: string[] }>();

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  list(query: ListQuery): Promise<ListPage> {
    const after = readToken(query);
    return this.#paths.locate(query.path, { follow: "yes" }, async (place) => {
      const entries = walk(place.at, {
        depth: query.depth < 0 ? Infinity : Math.max(1, query.depth),
        rules: IgnoreRules.create(query),
        includeHidden: query.includeHidden,
        pinned: this.#paths.isConfined,
        after,
        readNames: (at) => this.#readNames(at),
      });
      const files: FileInfo[] = [];
      let [bytes, hashedBytes] = [0, 0];
      for await (const { info, at } of entries) {
        if (query.kind !== undefined && info.kind !== query.kind) continue;
        const isFull = files.length >= query.pageSize || bytes > maxPageBytes || hashedBytes > maxHashedBytes;
        if (isFull) return { files, nextPageToken: pageToken(query, files.at(-1)) };
        const isHashed = query.sha256 && info.kind === "REGULAR";
        files.push(isHashed ? await hashed(info, at) : info);
        if (isHashed) hashedBytes += Number(info.stats.size);
        // Twice the path: a name that is not UTF-8 goes as text and as bytes.
        bytes += info.path.length * 2 + (info.linkTarget?.length ?? 0) * 2 + bytesPerEntry;
      }
      return { files, nextPageToken: "" };
    });
  }

  async #readNames(at: PathBytes): Promise<string[]> {
    // The inode tells directories apart: the same descriptor number may stand for another one each time.
    const stats = await stat(at, { bigint: true });
    const [key, etag] = [`${stats.dev}:${stats.ino}`, etagOf(stats)];
    const known = this.#names.get(key);
    if (known?.etag === etag) return known.names;
    const names = await readNames(at);
    // What changed just now may change again within one tick of the file system's clock, and look the same.
    const isSettled = Date.now() - Number(stats.mtimeMs) > tickMs;
    if (names.length < largeDirectory || !isSettled) return names;
    this.#names.delete(key);
    this.#names.set(key, { etag, names });
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= maxLargeDirectories) break;
      this.#names.delete(oldest);
    }
    return names;
  }
}

/** The file that has the name by now, with the digest of its content; as it was told where that cannot be read. */
async function hashed(info: FileInfo, at: PathBytes): Promise<FileInfo> {
  try {
    const handle = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const read = fileInfo(info.path, await handle.stat({ bigint: true }));
      if (read.kind !== "REGULAR") return info;
      const hash = createHash("sha256");
      for await (const data of readChunks(handle, 0, Number.MAX_SAFE_INTEGER, { lend: true })) hash.update(data);
      return { ...read, sha256: hash.digest() };
    } finally {
      await handle.close();
    }
  } catch {
    return info;
  }
}

/** The path of the last entry that was told, behind what proves that this very list told it. */
function pageToken(query: ListQuery, last: FileInfo | undefined): string {
  return last === undefined ? "" : Buffer.concat([proofOf(query, last.path), last.path]).toString("base64url");
}

/** The names of the entry to go on after: any text would be some path, and the page behind it empty. */
function readToken(query: ListQuery): string[] {
  if (query.pageToken === "") return [];
  const token = Buffer.from(query.pageToken, "base64url");
  const path = token.subarray(proofBytes);
  if (!proofOf(query, path).equals(token.subarray(0, proofBytes))) {
    throw new InvalidRequest(
      "INVALID_FIELD",
      "page_token is not one that this server gave for a list with these fields",
      {
        subject: "page_token",
      },
    );
  }
  return path.toString("latin1").split("/");
}

function proofOf(query: ListQuery, last: PathBytes): PathBytes {
  const { path, pageSize: _size, pageToken: _token, ...filters } = query;
  const question = JSON.stringify([path.toString("latin1"), filters]);
  return createHash("sha256").update(question).update("\0").update(last).digest().subarray(0, proofBytes);
}

const proofBytes = 9;
/** What an entry takes on the wire beside its names, generously. */
const bytesPerEntry = 220;
const maxPageBytes = 3 * 1024 * 1024;
/** A page with digests ends once it has read so much, so that it takes no longer than a call may. */
const maxHashedBytes = 256 * 1024 * 1024;
const largeDirectory = 5_000;
const maxLargeDirectories = 4;
const tickMs = 1_000;
