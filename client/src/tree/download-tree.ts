import { chmod, lstat, readlink, utimes } from "node:fs/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { FileService } from "@yonder/proto";
import { combineCrc32, crc32, packedSize } from "@yonder/transfer";
import type { Connection } from "../connection/connection.ts";
import { LinkedAbort } from "../connection/linked-abort.ts";
import type { Retry } from "../connection/retry.ts";
import type { AsUser } from "../as-user.ts";
import { FileStats } from "../files/file-stats.ts";
import type { WirePlace } from "../files/wire-path.ts";
import { onlyKnown } from "../option-rules.ts";
import type { Names } from "../option-rules.ts";
import { exactSeconds } from "../transfer/exact-seconds.ts";
import type { OnProgress } from "../transfer/progress.ts";
import type { IgnoreOptions } from "./ignore-rules.ts";
import { downloadLarge, isLargeThere } from "./large-files.ts";
import { hashFile } from "./local-tree.ts";
import { listRemoteTree } from "./remote-tree.ts";
import { addSkipped, emptyReport, startRound } from "./tree-report.ts";
import type { TreeReport } from "./tree-report.ts";
import type { Compare } from "./upload-tree.ts";
import { unpackTree } from "./unpack-tree.ts";

export interface DownloadTreeOptions extends IgnoreOptions, AsUser {
  /** Default "time". */
  compare?: Compare | undefined;
  /** Write symbolic links that lead out of the directory too. Default false: they are passed over and counted. */
  allowOutsideLinks?: boolean | undefined;
  /**
   * Go on with a file of 64 MiB or more where an earlier call with `resume`, of this process or another, was broken off.
   * Default false: such a file is begun anew.
   */
  resume?: boolean | undefined;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

const known: Names<DownloadTreeOptions> = {
  compare: true,
  allowOutsideLinks: true,
  exclude: true,
  gitignore: true,
  resume: true,
  user: true,
  onProgress: true,
  signal: true,
};

type Path = { path: string; rawPath: Uint8Array };

interface Progress {
  transferredBytes: number;
  totalBytes: number | undefined;
  /** What the wire broke with. Whatever else is thrown is the disk's or a callback's own, and tried again in vain. */
  cut: { readonly error: unknown } | undefined;
}

/** Downloads a tree to a directory on this machine: what is there already is not moved, and a cut is gone on from. */
export async function downloadDirectory(
  connection: Connection,
  source: WirePlace,
  directory: string,
  options: DownloadTreeOptions,
): Promise<TreeReport> {
  onlyKnown(options, known);
  const { signal, exclude = [], gitignore = false, allowOutsideLinks = false } = options;
  const report = emptyReport();
  const retry = connection.retry({ signal });
  const { file } = await connection.call(FileService.method.stat, source, { signal });
  const state: Progress = { transferredBytes: 0, totalBytes: undefined, cut: undefined };
  let unchangedBefore = 0;
  for (let round = 0; ; round++) {
    try {
      startRound(report);
      const { batches, large, unchanged, bytes } = await missingEntries(connection, source, directory, options, round);
      state.totalBytes = bytes === undefined ? undefined : state.transferredBytes + bytes;
      if (round === 0) unchangedBefore = unchanged;
      report.unchanged = unchangedBefore;
      for (const name of large) {
        const before = state.transferredBytes;
        const told: OnProgress = ({ transferredBytes }) => tell(state, before + transferredBytes, options);
        const how = { signal, onProgress: options.onProgress && told };
        await downloadLarge(connection, name, source, directory, report, how);
      }
      for (const only of batches) {
        const request = { ...source, exclude: [...exclude], gitignore, only };
        const stream = receive(connection, request, retry, state, options, report);
        await unpackTree(stream, directory, report, { allowOutsideLinks, signal });
      }
      // What was written in it has changed its time, and a part of a tree does not bring it along.
      const isPart = large.length > 0 || batches.some((only) => only.length > 0);
      if (file !== undefined && isPart) await dress(directory, new FileStats(file));
      return report;
    } catch (error) {
      if (state.cut === undefined) throw error;
      const { error: cut } = state.cut;
      state.cut = undefined;
      await retry.after(cut);
    }
  }
}

interface Missing {
  readonly batches: Path[][];
  /** The names of files that are moved by themselves. */
  readonly large: string[];
  readonly unchanged: number;
  readonly bytes: number | undefined;
}

/** What has to be moved, in requests of a bounded size. One without names asks for everything. */
async function missingEntries(
  connection: Connection,
  source: WirePlace,
  directory: string,
  options: DownloadTreeOptions,
  round: number,
): Promise<Missing> {
  const compare = options.compare ?? "time";
  const isEmpty = (await lstat(directory).catch(() => undefined)) === undefined;
  const isWhole = (compare === "none" || isEmpty) && round === 0;
  const all = { batches: [[]], large: [], unchanged: 0, bytes: undefined };
  if (isWhole && options.onProgress === undefined && options.resume !== true) return all;
  const remote = await listRemoteTree(connection, {
    ...options,
    path: source,
    sha256: compare === "digest" && !isWhole,
    signal: options.signal,
  });
  // A file or link by itself is packed alone.
  if (remote.size === 0) return all;
  const large = options.resume === true ? [...remote].filter(([, stats]) => isLargeThere(stats)) : [];
  if (isWhole && large.length === 0) return { ...all, bytes: packedBytes(remote.values()) };
  const byThemselves = new Set(large.map(([name]) => name));
  const largeOnes: string[] = [];
  const batches = new Batches();
  /** Directories that are there as they are: what is written in one changes its time, which is then set again. */
  const settled = new Map<string, FileStats>();
  const touched = new Map<string, FileStats>();
  let [unchanged, bytes] = [0, 0];
  for (const [name, stats] of remote) {
    const path = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, "latin1")]);
    if (!isWhole && (await isSame(path, stats, compare))) {
      unchanged++;
      if (stats.isDirectory()) settled.set(name, stats);
      continue;
    }
    const parent = name.slice(0, Math.max(0, name.lastIndexOf("/")));
    const parentStats = settled.get(parent) ?? (batches.isSplit ? remote.get(parent) : undefined);
    if (parentStats !== undefined) touched.set(parent, parentStats);
    if (byThemselves.has(name)) largeOnes.push(name);
    else batches.add(stats);
    bytes += packedBytes([stats]);
  }
  for (const stats of touched.values()) batches.add(stats);
  return { batches: batches.all, large: largeOnes, unchanged, bytes };
}

/** Gives a directory the mode and the time that it has in the workspace. */
async function dress(directory: string, stats: FileStats): Promise<void> {
  if (!stats.isDirectory()) return;
  await chmod(directory, stats.mode);
  const time = exactSeconds(stats.mtimeNs);
  await utimes(directory, time, time);
}

/** About how many bytes they make as a tar stream. */
function packedBytes(entries: Iterable<FileStats>): number {
  let bytes = 0;
  for (const stats of entries) bytes += packedSize(stats.isFile() ? stats.size : 0);
  return bytes;
}

/** Names in requests of a bounded size. */
class Batches {
  readonly all: Path[][] = [];
  #bytes = Infinity;

  get isSplit(): boolean {
    return this.all.length > 1;
  }

  add({ path }: FileStats): void {
    if (this.#bytes >= maxBatchBytes || (this.all.at(-1)?.length ?? 0) >= maxBatchEntries) {
      this.all.push([]);
      this.#bytes = 0;
    }
    const entry = typeof path === "string" ? { path, rawPath: new Uint8Array(0) } : { path: "", rawPath: path };
    this.all.at(-1)?.push(entry);
    this.#bytes += path.length + 8;
  }
}

/** Whether this machine has the entry already. */
async function isSame(path: Buffer, there: FileStats, compare: Compare): Promise<boolean> {
  const here = await lstat(path, { bigint: true }).catch(() => undefined);
  if (here === undefined) return false;
  if (compare === "name") return true;
  if (there.isSymbolicLink()) return here.isSymbolicLink() && (await sameTarget(path, there));
  if (Number(here.mode & 0o7777n) !== there.mode) return false;
  if (there.isDirectory()) return here.isDirectory() && here.mtimeNs / 1000n === there.mtimeNs / 1000n;
  if (!there.isFile() || !here.isFile() || here.size !== BigInt(there.size)) return false;
  if (compare === "digest") return there.sha256?.equals(await hashFile(path)) === true;
  return here.mtimeNs / 1000n === there.mtimeNs / 1000n;
}

async function sameTarget(path: Buffer, { linkTarget }: FileStats): Promise<boolean> {
  const target = await readlink(path, { encoding: "buffer" });
  return linkTarget !== undefined && target.equals(Buffer.from(linkTarget as string));
}

function tell(state: Progress, transferredBytes: number, { onProgress }: DownloadTreeOptions): unknown {
  state.transferredBytes = transferredBytes;
  const totalBytes = state.totalBytes === undefined ? undefined : Math.max(state.totalBytes, transferredBytes);
  return onProgress?.({ transferredBytes, totalBytes });
}

async function* receive(
  connection: Connection,
  request: WirePlace & { exclude: string[]; gitignore: boolean; only: Path[] },
  retry: Retry,
  state: Progress,
  options: DownloadTreeOptions,
  report: TreeReport,
): AsyncGenerator<Uint8Array> {
  const abort = new LinkedAbort(options.signal, connection.closed);
  let isWire = true;
  try {
    const replies = await connection.stream(FileService.method.downloadTree, request, retry, abort.signal);
    let [offset, whole] = [0, 0];
    for await (const { part } of { [Symbol.asyncIterator]: () => replies }) {
      if (part.case === "chunk") {
        const { data, crc32: told } = part.value;
        const digest = crc32(data);
        if (Number(part.value.offset) !== offset || (told !== undefined && told !== digest)) throw broken("a chunk");
        whole = combineCrc32(whole, digest, data.length);
        offset += data.length;
        retry.progress();
        isWire = false;
        yield data;
        await tell(state, state.transferredBytes + data.length, options);
        isWire = true;
      } else if (part.case === "finished") {
        if (part.value.crc32 !== whole) throw broken("the whole");
        report.changed += Number(part.value.changed);
        if (part.value.report !== undefined) addSkipped(report, part.value.report);
        return;
      }
    }
    throw new ConnectError("protocol error: the stream ended before the tree", Code.InvalidArgument);
  } catch (error) {
    if (isWire) state.cut = { error };
    throw error;
  } finally {
    abort.abort(new ConnectError("the reader has gone", Code.Canceled));
    abort.release();
  }
}

function broken(what: string): ConnectError {
  return new ConnectError(`protocol error: the digest of ${what} does not fit`, Code.InvalidArgument);
}

const maxBatchBytes = 2 * 1024 * 1024;
const maxBatchEntries = 50_000;
