import { makeDirectories } from "@yonder/transfer";
import { RememberedAnswers } from "../util/remembered-answers.ts";
import type { ToolVersion } from "../util/tool-version.ts";
import { withHeartbeats } from "../util/with-heartbeats.ts";
import type { TreeReport } from "../util/errors.ts";
import { createConfinedPaths } from "./confined-paths.ts";
import { copy } from "./copy.ts";
import type { CopyQuery } from "./copy.ts";
import { download, readFile } from "./download.ts";
import type { DownloadEvent, DownloadQuery, ReadResult } from "./download.ts";
import { readInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import { defaultLimits } from "../util/limits.ts";
import type { Limits } from "../util/limits.ts";
import { Lister } from "./list.ts";
import type { ListPage, ListQuery } from "./list.ts";
import { makeDirectory } from "./make-directory.ts";
import type { MakeDirectoryQuery } from "./make-directory.ts";
import { move } from "./move.ts";
import type { MoveQuery } from "./move.ts";
import { createOpenPaths } from "./open-paths.ts";
import { packTree } from "./pack-tree.ts";
import type { PackEvent, PackQuery } from "./pack-tree.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths } from "./place.ts";
import { QuickLooks } from "./quick-looks.ts";
import { remove } from "./remove.ts";
import type { RemoveQuery } from "./remove.ts";
import { findRipgrep, ripgrepVersion } from "./search/ripgrep.ts";
import { search } from "./search/search.ts";
import type { SearchEvent, SearchQuery } from "./search/search.ts";
import { SerialByKey } from "./serial.ts";
import { Uploads } from "./uploads.ts";
import { inotifyState } from "./watch/inotify.ts";
import type { InotifyState } from "./watch/inotify.ts";
import { Watches } from "./watch/watches.ts";
import type { WatchEvent, WatchQuery } from "./watch/watches.ts";

export interface FilesOptions {
  /** What relative paths are relative to, absolute. */
  readonly workingDirectory: string | Buffer;
  /** Where uploads in progress are written down, so that they survive the server. */
  readonly uploadsDirectory: string;
  /** Keep every path under this directory. Linux only. */
  readonly confine?: string | Buffer | undefined;
  readonly limits?: Partial<Limits>;
}

/** What a server can do with files on one machine and not on another; the contract's features. */
export type FileFeature = "REGEX_SEARCH" | "CONFINED_FILES";

/** What the machine has for files. */
export interface FilesDiagnosis {
  readonly ripgrep: ToolVersion;
  /** Undefined where there is no inotify. */
  readonly inotify: InotifyState | undefined;
}

/** The files of the workspace. */
export class Files {
  readonly paths: Paths;
  readonly limits: Limits;
  readonly features: ReadonlySet<FileFeature>;
  readonly uploads: Uploads;
  readonly #targets: SerialByKey;
  readonly #lister: Lister;
  readonly #looks = new QuickLooks();
  readonly #watches: Watches;
  readonly #answers: RememberedAnswers;
  readonly #ripgrep: string | undefined;

  private constructor(paths: Paths, limits: Limits, uploadsDirectory: string, ripgrep: string | undefined) {
    this.paths = paths;
    this.limits = limits;
    this.#targets = new SerialByKey();
    this.uploads = new Uploads({ paths, limits, directory: uploadsDirectory, targets: this.#targets });
    this.#lister = new Lister(paths);
    this.#watches = new Watches(paths, limits);
    const { requestRetentionMs: retentionMs, maxRememberedRequests: maxAnswers } = limits;
    this.#answers = new RememberedAnswers({ retentionMs, maxAnswers });
    this.#ripgrep = ripgrep;
    const features = new Set<FileFeature>();
    if (ripgrep !== undefined) features.add("REGEX_SEARCH");
    if (paths.isConfined) features.add("CONFINED_FILES");
    this.features = features;
  }

  static async open(options: FilesOptions): Promise<Files> {
    const workingDirectory = Buffer.from(options.workingDirectory);
    const limits = { ...defaultLimits, ...options.limits };
    if (options.confine === undefined) {
      const paths = createOpenPaths(workingDirectory);
      return new Files(paths, limits, options.uploadsDirectory, await findRipgrep());
    }
    if (process.platform !== "linux") throw new Error("Files can be confined on Linux only");
    const root = Buffer.from(options.confine);
    await makeDirectories(root);
    // ripgrep opens files by their names, which is just what a confined server must not do.
    return new Files(await createConfinedPaths(root, workingDirectory), limits, options.uploadsDirectory, undefined);
  }

  download(query: DownloadQuery): AsyncGenerator<DownloadEvent> {
    return download(this.paths, query);
  }

  readFile(query: { path: PathBytes; offset: number; maxBytes: number; ifMatch: string }): Promise<ReadResult> {
    const { maxReadFileBytes } = this.limits;
    const maxBytes = query.maxBytes === 0 ? maxReadFileBytes : Math.min(query.maxBytes, maxReadFileBytes);
    return readFile(this.paths, { ...query, maxBytes });
  }

  packTree(query: PackQuery): AsyncGenerator<PackEvent> {
    return packTree(this.paths, query);
  }

  async stat(query: { path: PathBytes; follow: boolean; sha256: boolean }): Promise<FileInfo> {
    const { path, follow } = query;
    // Where paths are confined, whoever finds the place has followed the links to it.
    const info = await this.paths.locate(path, { follow: follow ? "yes" : "no" }, (place) =>
      this.paths.isConfined ? readInfo(place.at, place.path, false) : this.#looks.readInfo(place, follow),
    );
    if (!query.sha256 || info.kind !== "REGULAR") return info;
    // Told of the file that is read: another one may have taken its name since.
    let read = info;
    const whole = { path, offset: 0, length: undefined, ifMatch: "", sha256From: 0, skipCrc32: true };
    for await (const event of this.download(whole)) {
      if (event.type === "started") read = event.file;
      else if (event.type === "finished" && event.sha256 !== undefined) return { ...read, sha256: event.sha256 };
    }
    return read;
  }

  list(query: ListQuery): Promise<ListPage> {
    const pageSize = query.pageSize === 0 ? defaultPageSize : Math.min(query.pageSize, this.limits.maxListPageSize);
    return this.#lister.list({ ...query, pageSize });
  }

  makeDirectory(requestId: string, query: MakeDirectoryQuery): Promise<{ file: FileInfo; created: boolean }> {
    return this.#once("MakeDirectory", requestId, query, () => makeDirectory(this.paths, query));
  }

  move(requestId: string, query: MoveQuery): Promise<FileInfo> {
    return this.#once("Move", requestId, query, () => move(this.paths, this.#targets, query));
  }

  copy(requestId: string, query: CopyQuery): Promise<{ file: FileInfo; report: TreeReport }> {
    return this.#once("Copy", requestId, query, () => copy(this.paths, this.#targets, query));
  }

  remove(requestId: string, query: RemoveQuery): Promise<boolean> {
    return this.#once("Remove", requestId, query, () => remove(this.paths, query));
  }

  watch(query: WatchQuery, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    return this.#watches.watch(query, signal);
  }

  search(query: SearchQuery, signal: AbortSignal): AsyncGenerator<SearchEvent> {
    const { maxSearchMatches, heartbeatIntervalMs } = this.limits;
    const maxMatches = query.maxMatches === 0 ? defaultMatches : Math.min(query.maxMatches, maxSearchMatches);
    const events = search(this.paths, { ...query, maxMatches }, this.#ripgrep, signal);
    return withHeartbeats(events, heartbeatIntervalMs, { type: "heartbeat" });
  }

  /** Whether something is under way, also such as nobody waits for any more: an upload that may go on, a copy. */
  async isBusy(): Promise<boolean> {
    return this.#answers.underway > 0 || (await this.uploads.areUnderway());
  }

  /** Looks at the machine. Never rejects. */
  async diagnose(): Promise<FilesDiagnosis> {
    const [ripgrep, inotify] = await Promise.all([ripgrepVersion(), inotifyState()]);
    return { ripgrep, inotify };
  }

  async close(): Promise<void> {
    this.#watches.close();
    await this.uploads.close();
    await this.paths.close();
  }

  #once<T>(scope: string, requestId: string, query: object, act: () => Promise<T>): Promise<T> {
    const entries = Object.entries(query).map(([key, value]: [string, unknown]) => [
      key,
      Buffer.isBuffer(value) ? value.toString("base64") : value,
    ]);
    return this.#answers.once(`files.${scope}`, requestId, JSON.stringify(entries), act);
  }
}

const defaultPageSize = 1_000;
const defaultMatches = 1_000;
