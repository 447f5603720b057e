import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { FileService } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { InvalidRequest, NotFound } from "../errors.ts";
import { integer } from "../exec/to-wire.ts";
import { onlyKnown } from "../option-rules.ts";
import { download } from "../transfer/download.ts";
import { upload } from "../transfer/upload.ts";
import { openSource, sourceOf } from "../transfer/upload-source.ts";
import { downloadDirectory } from "../tree/download-tree.ts";
import type { DownloadTreeOptions } from "../tree/download-tree.ts";
import type { TreeEntry } from "../tree/pack-tree.ts";
import type { TreeReport } from "../tree/tree-report.ts";
import { uploadDirectory, uploadEntries, uploadTreeOptions } from "../tree/upload-tree.ts";
import type { UploadTreeOptions } from "../tree/upload-tree.ts";
import { FileStats } from "./file-stats.ts";
import type {
  CopyOptions,
  DirectoryEntry,
  FileSystem,
  MakeDirectoryOptions,
  ReadDirectoryOptions,
  ReadFileOptions,
  RemoveOptions,
  RenameOptions,
  StatOptions,
  WriteFileOptions,
} from "./file-system-options.ts";
import { Gathering } from "./gathering.ts";
import { search } from "./search.ts";
import type { SearchOptions, SearchResult } from "./search.ts";
import { addSystemCode, withSystemCode } from "./system-error.ts";
import { timestampOf } from "./timestamp.ts";
import { watch } from "./watch.ts";
import type { WatchEvent, WatchOptions } from "./watch.ts";
import { toWirePlace } from "./wire-path.ts";
import type { PathLike, PlaceContext, WirePlace } from "./wire-path.ts";

/** The file system of a workspace behind a connection. */
export class ConnectedFileSystem implements FileSystem {
  readonly #connection: Connection;
  readonly #context: PlaceContext;

  constructor(connection: Connection, context: PlaceContext) {
    this.#connection = connection;
    this.#context = context;
  }

  readFile(path: PathLike, options: (ReadFileOptions & { encoding: BufferEncoding }) | BufferEncoding): Promise<string>;
  readFile(path: PathLike, options?: ReadFileOptions): Promise<Buffer>;
  async readFile(path: PathLike, options: ReadFileOptions | BufferEncoding = {}): Promise<string | Buffer> {
    const {
      encoding,
      offset = 0,
      length,
      ifMatch = "",
      signal,
      digest,
      user,
    } = typeof options === "string" ? { encoding: options } : options;
    return withSystemCode("open", path, async () => {
      const request = {
        ...this.#path(path, user),
        ...rangeOf(offset, length),
        ifMatch,
      };
      const content = new Gathering();
      for await (const part of download(this.#connection, request, { signal, digest })) {
        if (part.type === "started") content.expect(part.length);
        else if (part.type === "chunk") content.add(part.data);
      }
      const data = content.all();
      return encoding === undefined ? data : data.toString(encoding);
    });
  }

  async *readStream(
    path: PathLike,
    { offset = 0, length, ifMatch = "", signal, digest, user }: ReadFileOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const request = { ...this.#path(path, user), ...rangeOf(offset, length), ifMatch };
    try {
      for await (const part of download(this.#connection, request, { signal, digest })) {
        if (part.type === "chunk") yield part.data;
      }
    } catch (error) {
      throw addSystemCode(error, "open", path);
    }
  }

  writeFile(
    path: PathLike,
    data: string | Uint8Array | AsyncIterable<Uint8Array | string>,
    options: WriteFileOptions | BufferEncoding = {},
  ): Promise<FileStats> {
    const given = typeof options === "string" ? { encoding: options } : options;
    const { encoding, mode, flag = "w", ifMatch = "", mtime, signal, onProgress, sha256, digest } = given;
    if (flag !== "w" && flag !== "wx") {
      throw new InvalidRequest(`flag is "${String(flag)}"; "w" and "wx" are known`, {
        reason: "INVALID_FIELD",
        subject: "flag",
      });
    }
    return withSystemCode("open", path, async () => {
      const source = typeof data === "string" ? sourceOf(Buffer.from(data, encoding)) : await openSource(data);
      const header = {
        ...this.#path(path, given.user),
        createParents: true,
        ifAbsent: given.ifAbsent ?? flag === "wx",
        ifMatch,
        ...(mode !== undefined && { mode }),
        ...(mtime !== undefined && { modifyTime: timestampOf(mtime.getTime()) }),
      };
      const { file } = await upload(this.#connection, header, source, { signal, onProgress, sha256, digest });
      if (file === undefined) throw new Error("an upload that is finished without a file");
      return new FileStats(file);
    });
  }

  writeFiles(
    files: Iterable<TreeEntry> | AsyncIterable<TreeEntry>,
    options: Pick<UploadTreeOptions, "signal" | "user"> = {},
  ): Promise<TreeReport> {
    const target = this.#path("", options.user);
    return withSystemCode("open", "", () => uploadEntries(this.#connection, files, target, options));
  }

  async exists(path: PathLike, { signal, user }: StatOptions = {}): Promise<boolean> {
    try {
      await this.stat(path, { signal, user });
      return true;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (NotFound.is(error) || code === "ENOTDIR" || code === "ENOENT") return false;
      throw error;
    }
  }

  stat(path: PathLike, options: StatOptions = {}): Promise<FileStats> {
    return this.#stat("stat", path, false, options);
  }

  lstat(path: PathLike, options: StatOptions = {}): Promise<FileStats> {
    return this.#stat("lstat", path, true, options);
  }

  readdir(path: PathLike, options: ReadDirectoryOptions & { withFileTypes: true }): Promise<DirectoryEntry[]>;
  readdir(path: PathLike, options?: ReadDirectoryOptions): Promise<(string | Buffer)[]>;
  async readdir(path: PathLike, options: ReadDirectoryOptions = {}): Promise<(string | Buffer)[] | DirectoryEntry[]> {
    return withSystemCode("scandir", path, async () => {
      const { recursive = false, withFileTypes = false, exclude = [], gitignore = false, signal } = options;
      const depth = recursive ? -1 : (options.depth ?? 1);
      const request = {
        ...this.#path(path, options.user),
        depth,
        includeHidden: true,
        exclude: [...exclude],
        gitignore,
        pageSize: 10_000,
      };
      const entries: FileStats[] = [];
      let pageToken = "";
      do {
        const page = await this.#connection.call(FileService.method.list, { ...request, pageToken }, { signal });
        for (const file of page.files) entries.push(new FileStats(file));
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return withFileTypes
        ? entries.map((stats) => Object.assign(stats, { name: stats.path }))
        : entries.map((stats) => stats.path);
    });
  }

  mkdir(path: PathLike, { recursive = false, mode, signal, user }: MakeDirectoryOptions = {}): Promise<void> {
    return withSystemCode("mkdir", path, async () => {
      const request = { ...this.#path(path, user), parents: recursive, requestId: crypto.randomUUID() };
      const call = { ...request, ...(mode !== undefined && { mode }) };
      await this.#connection.call(FileService.method.makeDirectory, call, { signal });
    });
  }

  rename(
    from: PathLike,
    to: PathLike,
    { ifAbsent = false, ifMatch = "", signal, user }: RenameOptions = {},
  ): Promise<FileStats> {
    return withSystemCode("rename", from, async () => {
      const request = {
        ...this.#twoPaths(from, to, user),
        createParents: true,
        ifAbsent,
        ifMatch,
        requestId: crypto.randomUUID(),
      };
      const { file } = await this.#connection.call(FileService.method.move, request, { signal });
      return new FileStats(needed(file));
    });
  }

  cp(from: PathLike, to: PathLike, options: CopyOptions = {}): Promise<FileStats> {
    const { recursive = false, errorOnExist = false, ifMatch = "", signal, user } = options;
    return withSystemCode("cp", from, async () => {
      const paths = this.#twoPaths(from, to, user);
      const request = { ...paths, recursive, createParents: true, ifAbsent: errorOnExist, ifMatch };
      // As long as the copy takes: the same call again joins it.
      const call = { ...request, requestId: crypto.randomUUID() };
      const { file } = await this.#connection.call(FileService.method.copy, call, { signal, timeoutMs: copyMs });
      return new FileStats(needed(file));
    });
  }

  rm(path: PathLike, options: RemoveOptions = {}): Promise<void> {
    const { recursive = false, force = false, ifMatch = "", signal, user } = options;
    return withSystemCode("rm", path, async () => {
      const what = { ...this.#path(path, user), recursive, missingOk: force, ifMatch };
      const request = { ...what, requestId: crypto.randomUUID() };
      await this.#connection.call(FileService.method.remove, request, { signal, timeoutMs: copyMs });
    });
  }

  async *watch(path: PathLike, options: WatchOptions = {}): AsyncGenerator<WatchEvent> {
    try {
      yield* watch(this.#connection, this.#path(path, options.user), options);
    } catch (error) {
      throw addSystemCode(error, "watch", path);
    }
  }

  search(options: SearchOptions): Promise<SearchResult> {
    const path = options.path ?? "";
    return withSystemCode("search", path, () => search(this.#connection, this.#path(path, options.user), options));
  }

  uploadTree(
    source: string | URL | Iterable<TreeEntry> | AsyncIterable<TreeEntry>,
    destination: PathLike,
    options: UploadTreeOptions = {},
  ): Promise<TreeReport> {
    const target = this.#path(destination, options.user);
    return withSystemCode("open", destination, async () => {
      onlyKnown(options, uploadTreeOptions);
      return typeof source === "string" || source instanceof URL
        ? uploadDirectory(this.#connection, localPath(source), target, options)
        : uploadEntries(this.#connection, source, target, options);
    });
  }

  downloadTree(source: PathLike, destination: string | URL, options: DownloadTreeOptions = {}): Promise<TreeReport> {
    return withSystemCode("open", source, () =>
      downloadDirectory(this.#connection, this.#path(source, options.user), localPath(destination), options),
    );
  }

  async #stat(
    syscall: string,
    path: PathLike,
    noFollow: boolean,
    { sha256 = false, signal, user }: StatOptions,
  ): Promise<FileStats> {
    return withSystemCode(syscall, path, async () => {
      const request = { ...this.#path(path, user), noFollow, sha256 };
      const { file } = await this.#connection.call(FileService.method.stat, request, { signal });
      return new FileStats(needed(file));
    });
  }

  #path(path: PathLike, user: string | undefined): WirePlace {
    return toWirePlace(this.#context, path, user);
  }

  #twoPaths(from: PathLike, to: PathLike, asked: string | undefined) {
    const [source, destination] = [this.#path(from, asked), this.#path(to, asked)];
    return {
      user: source.user,
      sourcePath: source.path,
      rawSourcePath: source.rawPath,
      destinationPath: destination.path,
      rawDestinationPath: destination.rawPath,
    };
  }
}

function localPath(path: string | URL): string {
  return resolve(path instanceof URL ? fileURLToPath(path) : path);
}

function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the server's reply lacks the file");
  return value;
}

function rangeOf(offset: number, length: number | undefined): { offset: bigint; length?: bigint } {
  return {
    offset: BigInt(integer("offset", offset)),
    ...(length !== undefined && { length: BigInt(integer("length", length)) }),
  };
}

/** How long one try of a call may take that moves or removes a tree. */
const copyMs = 600_000;
