import type { AsUser } from "../as-user.ts";
import type { TransferDigest } from "../transfer/digest.ts";
import type { OnProgress } from "../transfer/progress.ts";
import type { DownloadTreeOptions } from "../tree/download-tree.ts";
import type { IgnoreOptions } from "../tree/ignore-rules.ts";
import type { TreeEntry } from "../tree/pack-tree.ts";
import type { TreeReport } from "../tree/tree-report.ts";
import type { UploadTreeOptions } from "../tree/upload-tree.ts";
import type { FileStats } from "./file-stats.ts";
import type { SearchOptions, SearchResult } from "./search.ts";
import type { WatchEvent, WatchOptions } from "./watch.ts";
import type { PathLike } from "./wire-path.ts";

interface CallOptions extends AsUser {
  /** Aborting rejects with an AbortError. */
  signal?: AbortSignal | undefined;
}

/**
 * The files of a workspace, with the names and the error codes of `node:fs/promises`. Paths are absolute, or relative to
 * the workspace's directory; directories that are missing on the way of what is written are made.
 *
 * What it rejects with is a YonderError, with the `code` ("ENOENT"), `syscall` and `path` that Node's errors have where
 * the file system said no.
 */
export interface FileSystem {
  /** The content of a file, as bytes, or as text in an encoding; at most 2 GiB, as `node:fs` has it. */
  readFile(path: PathLike, options: (ReadFileOptions & { encoding: BufferEncoding }) | BufferEncoding): Promise<string>;
  readFile(path: PathLike, options?: ReadFileOptions): Promise<Buffer>;
  /** The content of a file as it arrives, for files that do not fit into memory. */
  readStream(path: PathLike, options?: ReadFileOptions): AsyncGenerator<Uint8Array>;
  /** Writes a file whole: a reader sees the old content or the new one. Resolves to what is there now. */
  writeFile(
    path: PathLike,
    data: string | Uint8Array | AsyncIterable<Uint8Array | string>,
    options?: WriteFileOptions | BufferEncoding,
  ): Promise<FileStats>;
  /** Writes many files from memory in one stream. Their paths are relative to the workspace's directory. */
  writeFiles(files: Iterable<TreeEntry> | AsyncIterable<TreeEntry>, options?: CallOptions): Promise<TreeReport>;
  /** Whether something is there. */
  exists(path: PathLike, options?: CallOptions): Promise<boolean>;
  stat(path: PathLike, options?: StatOptions): Promise<FileStats>;
  /** The same of a symbolic link itself. */
  lstat(path: PathLike, options?: StatOptions): Promise<FileStats>;
  /** The names in a directory, sorted by their bytes; with `recursive` the paths in the tree. */
  readdir(path: PathLike, options: ReadDirectoryOptions & { withFileTypes: true }): Promise<DirectoryEntry[]>;
  readdir(path: PathLike, options?: ReadDirectoryOptions): Promise<(string | Buffer)[]>;
  mkdir(path: PathLike, options?: MakeDirectoryOptions): Promise<void>;
  /** Gives something another name; over file systems too. */
  rename(from: PathLike, to: PathLike, options?: RenameOptions): Promise<FileStats>;
  cp(from: PathLike, to: PathLike, options?: CopyOptions): Promise<FileStats>;
  rm(path: PathLike, options?: RemoveOptions): Promise<void>;
  /** Tells what changes, until the signal is aborted or the iteration is left. */
  watch(path: PathLike, options?: WatchOptions): AsyncGenerator<WatchEvent>;
  /** Finds files by name, or lines by content. */
  search(options: SearchOptions): Promise<SearchResult>;
  /** Uploads a directory of this machine, or entries from memory; run again, it moves only what is missing. */
  uploadTree(
    source: string | URL | Iterable<TreeEntry> | AsyncIterable<TreeEntry>,
    destination: PathLike,
    options?: UploadTreeOptions,
  ): Promise<TreeReport>;
  /** Downloads a directory to this machine; run again, it moves only what is missing. */
  downloadTree(source: PathLike, destination: string | URL, options?: DownloadTreeOptions): Promise<TreeReport>;
}

export interface ReadFileOptions extends CallOptions {
  /** Default: bytes. */
  encoding?: BufferEncoding | undefined;
  /** The first byte. Default 0. */
  offset?: number | undefined;
  /** How many bytes at most. Default: to the end. */
  length?: number | undefined;
  /** Read only the file with this etag. */
  ifMatch?: string | undefined;
  /** What the bytes are checked with, on both sides. Default "crc32". */
  digest?: TransferDigest | undefined;
}

export interface WriteFileOptions extends CallOptions {
  /** Of a string. Default "utf8". */
  encoding?: BufferEncoding | undefined;
  /** The permission bits. Default: those of the file that is there, or 0o666 less the server's umask. */
  mode?: number | undefined;
  /** "wx" writes only where no file is. Default "w". */
  flag?: "w" | "wx" | undefined;
  ifAbsent?: boolean | undefined;
  /** Replace only the file with this etag. */
  ifMatch?: string | undefined;
  mtime?: Date | undefined;
  onProgress?: OnProgress | undefined;
  /** The SHA-256 of the content, checked before the file appears. */
  sha256?: Uint8Array | undefined;
  /** What the bytes are checked with, on both sides. Default "crc32". */
  digest?: TransferDigest | undefined;
}

export interface StatOptions extends CallOptions {
  /** Compute the SHA-256 of a regular file. Default false. */
  sha256?: boolean | undefined;
}

export interface ReadDirectoryOptions extends CallOptions, IgnoreOptions {
  /** All the way down. Default false. */
  recursive?: boolean | undefined;
  /** How deep to go instead. Default 1. */
  depth?: number | undefined;
  withFileTypes?: boolean | undefined;
}

/** An entry of a directory: its path relative to the directory, with everything that is known of it. */
export type DirectoryEntry = FileStats & { readonly name: string | Buffer };

export interface MakeDirectoryOptions extends CallOptions {
  /** Make missing parents too; a directory that is there is no error then. Default false. */
  recursive?: boolean | undefined;
  mode?: number | undefined;
}

export interface RenameOptions extends CallOptions {
  /** Only where nothing has the new name. Default false. */
  ifAbsent?: boolean | undefined;
  /** Only the source with this etag. */
  ifMatch?: string | undefined;
}

export interface CopyOptions extends CallOptions {
  /** A directory with all that is in it. Default false. */
  recursive?: boolean | undefined;
  /** Only where nothing has the copy's name. Default false. */
  errorOnExist?: boolean | undefined;
  /** Only the source with this etag. */
  ifMatch?: string | undefined;
}

export interface RemoveOptions extends CallOptions {
  /** A directory with all that is in it. Default false. */
  recursive?: boolean | undefined;
  /** Nothing there is no error. Default false. */
  force?: boolean | undefined;
  /** Only what has this etag. */
  ifMatch?: string | undefined;
}
