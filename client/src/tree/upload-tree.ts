import { readdir, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { FileService } from "@yonder/proto";
import type { UploadTreeRequestSchema } from "@yonder/proto";
import { coalesce, combineCrc32, crc32, packedSize, QuickDisk } from "@yonder/transfer";
import type { Connection } from "../connection/connection.ts";
import { LinkedAbort } from "../connection/linked-abort.ts";
import type { Retry } from "../connection/retry.ts";
import { untilAborted } from "../connection/until-aborted.ts";
import type { AsUser } from "../as-user.ts";
import type { FileStats } from "../files/file-stats.ts";
import type { WirePlace } from "../files/wire-path.ts";
import type { Names } from "../option-rules.ts";
import type { OnProgress } from "../transfer/progress.ts";
import { chunkBytes, rechunk } from "../transfer/upload-source.ts";
import type { IgnoreOptions } from "./ignore-rules.ts";
import { isLarge, uploadLarge } from "./large-files.ts";
import { hashFile, lookAt, text, walkLocalTree } from "./local-tree.ts";
import type { LocalEntry } from "./local-tree.ts";
import { packEntries, packLocalEntries } from "./pack-tree.ts";
import type { TreeEntry } from "./pack-tree.ts";
import { listRemoteParts } from "./remote-tree.ts";
import { addReport, emptyReport, skip, startRound } from "./tree-report.ts";
import type { TreeReport } from "./tree-report.ts";

/**
 * How it is found out what has to be moved: what differs in size or time ("time"), in content ("digest"), what is not
 * there under its name ("name"), or everything ("none").
 */
export type Compare = "time" | "digest" | "name" | "none";

export interface UploadTreeOptions extends IgnoreOptions, AsUser {
  /** Default "time". */
  compare?: Compare | undefined;
  /** Give the destination the mode and the time of the directory too, even if it was there. Default false. */
  top?: boolean | undefined;
  /**
   * Go on with a file of 64 MiB or more where an earlier call with `resume`, of this process or another, was broken off.
   * Default false: such a file is begun anew.
   */
  resume?: boolean | undefined;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/** Of `uploadTree`, whatever it uploads. */
export const uploadTreeOptions: Names<UploadTreeOptions> = {
  compare: true,
  top: true,
  exclude: true,
  gitignore: true,
  resume: true,
  user: true,
  onProgress: true,
  signal: true,
};

/** Uploads a directory of this machine: what the workspace has already is not moved, and a cut is gone on from. */
export async function uploadDirectory(
  connection: Connection,
  source: string,
  target: WirePlace,
  options: UploadTreeOptions,
): Promise<TreeReport> {
  const report = emptyReport();
  const retry = connection.retry({ signal: options.signal });
  const single = (await stat(source)).isDirectory() ? undefined : basename(source);
  const top = single === undefined ? source : dirname(source);
  const disk = await QuickDisk.under(Buffer.from(top));
  /** What was moved by itself. */
  const done = new Set<string>();
  for (let round = 0; ; round++) {
    const compare = options.compare ?? "time";
    // After a cut, what arrived before it is found by looking.
    const remote =
      compare === "none" && round === 0
        ? new Map<string, FileStats>()
        : await listRemoteParts(
            connection,
            { path: target, sha256: compare === "digest", signal: options.signal },
            new Set(single === undefined ? await readdir(top, { encoding: "latin1" }) : [latin1(single)]),
          );
    startRound(report);
    const changed = (into: TreeReport) =>
      changedEntries(top, single, remote, done, { ...options, compare, disk }, into);
    // Looking twice costs little beside moving; hashing twice does not.
    const isTold = options.onProgress !== undefined && compare !== "digest";
    const totalBytes = isTold ? await packedBytes(changed(emptyReport())) : undefined;
    let moved = 0;
    const tell: OnProgress = ({ transferredBytes }) =>
      options.onProgress?.({
        transferredBytes: moved + transferredBytes,
        totalBytes: totalBytes === undefined ? undefined : Math.max(totalBytes, moved + transferredBytes),
      });
    const told = { ...options, onProgress: options.onProgress && tell };
    if (options.resume === true) {
      for await (const entry of changed(emptyReport())) {
        if (!isLarge(entry)) continue;
        await uploadLarge(connection, entry, target, report, { signal: options.signal, onProgress: told.onProgress });
        done.add(entry.name);
        moved += Number(entry.stats.size);
      }
    }
    const stream = coalesce(packLocalEntries(changed(report), report, disk), chunkBytes);
    const sender = new TreeSender(connection, target, stream, told);
    try {
      addReport(report, await sender.send(retry));
      return report;
    } catch (error) {
      sender.throwFailure();
      await retry.after(error);
    }
  }
}

/** Uploads entries from memory. They come but once, so each call is one that can be repeated. */
export async function uploadEntries(
  connection: Connection,
  entries: AsyncIterable<TreeEntry> | Iterable<TreeEntry>,
  target: WirePlace,
  { signal, onProgress }: Pick<UploadTreeOptions, "signal" | "onProgress">,
): Promise<TreeReport> {
  const uploadId = crypto.randomUUID();
  const { user } = target;
  let [offset, whole] = [0, 0];
  for await (const data of untilAborted(rechunk(packEntries(entries), callBytes), connection, signal)) {
    const digest = crc32(data);
    const header = { case: "tree" as const, value: { ...target, uploadId } };
    const chunk = { offset: BigInt(offset), data, crc32: digest };
    await connection.call(
      FileService.method.writeChunk,
      { uploadId, user, chunk, ...(offset === 0 && { header }) },
      { signal },
    );
    whole = combineCrc32(whole, digest, data.length);
    offset += data.length;
    await onProgress?.({ transferredBytes: offset, totalBytes: undefined });
  }
  const finish = { crc32: whole };
  const { upload } = await connection.call(FileService.method.writeChunk, { uploadId, user, finish }, { signal });
  const report = emptyReport();
  addReport(report, upload?.tree);
  return report;
}

async function* changedEntries(
  top: string,
  single: string | undefined,
  remote: ReadonlyMap<string, FileStats>,
  done: ReadonlySet<string>,
  options: UploadTreeOptions & { compare: Compare; disk: QuickDisk },
  report: TreeReport,
): AsyncGenerator<LocalEntry> {
  /** Directories that are there as they are: what is written in one changes its time, which is then set again. */
  const settled = new Map<string, LocalEntry>();
  const touched = new Map<string, LocalEntry>();
  for await (const entry of single === undefined ? walkLocalTree(top, options) : onlyEntry(top, single)) {
    const isCarried = entry.stats.isFile() || entry.stats.isDirectory() || entry.stats.isSymbolicLink();
    if (!isCarried) {
      skip(report, text(entry.name));
    } else if (!done.has(entry.name) && (await isSame(entry, remote.get(entry.name), options.compare))) {
      report.unchanged++;
      if (entry.stats.isDirectory()) settled.set(entry.name, entry);
    } else {
      const parent = entry.name.slice(0, Math.max(0, entry.name.lastIndexOf("/")));
      const directory = settled.get(parent);
      if (directory !== undefined) touched.set(parent, directory);
      if (!done.has(entry.name)) yield entry;
    }
  }
  yield* touched.values();
  if (options.top === true && single === undefined) yield await entryOfTop(top);
}

async function* onlyEntry(directory: string, name: string): AsyncGenerator<LocalEntry> {
  const entry = await lookAt(Buffer.from(directory), "", latin1(name));
  if (entry !== undefined) yield entry;
}

/** The directory itself, which a stream of a tree may bring along under this name. */
async function entryOfTop(directory: string): Promise<LocalEntry> {
  const stats = await stat(directory, { bigint: true });
  return { name: ".", path: Buffer.from(directory), stats, target: undefined };
}

/** About how many bytes the entries make as a tar stream. */
async function packedBytes(entries: AsyncIterable<LocalEntry>): Promise<number> {
  let bytes = 0;
  for await (const { stats } of entries) bytes += packedSize(stats.isFile() ? Number(stats.size) : 0);
  return bytes;
}

/** Whether the workspace has this entry already. */
async function isSame(
  { stats, path, target }: LocalEntry,
  there: FileStats | undefined,
  compare: Compare,
): Promise<boolean> {
  if (compare === "name") return there !== undefined;
  if (there === undefined || there.mode !== Number(stats.mode & 0o7777n)) {
    return there?.isSymbolicLink() === true && sameLink(target, there);
  }
  if (target !== undefined) return sameLink(target, there);
  if (stats.isDirectory()) return there.isDirectory() && sameTime(stats, there);
  if (!stats.isFile() || !there.isFile() || BigInt(there.size) !== stats.size) return false;
  if (compare === "digest") return there.sha256?.equals(await hashFile(path)) === true;
  return sameTime(stats, there);
}

/** To the microsecond: finer ones cannot be set. */
function sameTime(here: { mtimeNs: bigint }, there: FileStats): boolean {
  return there.mtimeNs / 1000n === here.mtimeNs / 1000n;
}

function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function sameLink(target: Buffer | undefined, { linkTarget }: FileStats): boolean {
  return target !== undefined && linkTarget !== undefined && target.equals(Buffer.from(linkTarget as string));
}

/** Sends one tar stream; one try. */
class TreeSender {
  readonly #connection: Connection;
  readonly #target: WirePlace;
  readonly #stream: AsyncIterable<Uint8Array>;
  readonly #options: UploadTreeOptions;
  #failure: { error: unknown } | undefined;

  constructor(
    connection: Connection,
    target: WirePlace,
    stream: AsyncIterable<Uint8Array>,
    options: UploadTreeOptions,
  ) {
    this.#connection = connection;
    this.#target = target;
    this.#stream = stream;
    this.#options = options;
  }

  async send(retry: Retry): Promise<Parameters<typeof addReport>[1]> {
    const uploadId = crypto.randomUUID();
    const abort = new LinkedAbort(this.#options.signal, this.#connection.closed);
    try {
      const parts = this.#parts(uploadId, retry, abort.signal);
      const reply = await this.#connection.send(FileService.method.uploadTree, parts, retry, abort.signal);
      return reply.upload?.tree;
    } catch (error) {
      abort.abort(error);
      // What it left half done is not gone on with.
      const { user } = this.#target;
      void this.#connection.call(FileService.method.abortUpload, { uploadId, user }).catch(() => {});
      throw error;
    } finally {
      abort.release();
    }
  }

  /** Throws what the disk or a callback threw, which the wire would wrap. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async *#parts(
    uploadId: string,
    retry: Retry,
    signal: AbortSignal,
  ): AsyncGenerator<MessageInitShape<typeof UploadTreeRequestSchema>> {
    yield { part: { case: "header", value: { ...this.#target, uploadId } } };
    // What is thrown at a `yield` is the wire's; everything else is the disk's or the callback's own.
    let isOurs = true;
    try {
      let [offset, whole] = [0, 0];
      for await (const data of this.#stream) {
        if (signal.aborted) return;
        const digest = crc32(data);
        isOurs = false;
        yield { part: { case: "chunk", value: { offset: BigInt(offset), data, crc32: digest } } };
        isOurs = true;
        whole = combineCrc32(whole, digest, data.length);
        offset += data.length;
        // Bytes that go out say that the connection works.
        if (offset > workingBytes) retry.progress();
        await this.#options.onProgress?.({ transferredBytes: offset, totalBytes: undefined });
      }
      isOurs = false;
      yield { part: { case: "finish", value: { crc32: whole } } };
    } catch (error) {
      if (isOurs && !signal.aborted) this.#failure = { error };
      throw error;
    }
  }
}

const callBytes = 2 * 1024 * 1024;
/** More than what lies in buffers on the way. */
const workingBytes = 32 * 1024 * 1024;
