import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Code, ConnectError } from "@connectrpc/connect";
import { FileService } from "@yonder/proto";
import { inBatches } from "@yonder/wire";
import type { AsUser } from "../as-user.ts";
import type { Connection } from "../connection/connection.ts";
import { LinkedAbort } from "../connection/linked-abort.ts";
import { throwIfAborted } from "../connection/retry.ts";
import { YonderError } from "../errors.ts";
import { onlyKnown } from "../option-rules.ts";
import type { Names } from "../option-rules.ts";
import { download } from "../transfer/download.ts";
import { LocalFile } from "../transfer/local-file.ts";
import type { TransferDigest } from "../transfer/digest.ts";
import type { OnProgress } from "../transfer/progress.ts";
import { upload } from "../transfer/upload.ts";
import { openSource } from "../transfer/upload-source.ts";
import type { UploadInput } from "../transfer/upload-source.ts";
import { FileStats } from "./file-stats.ts";
import { fileSink, sinkInto, sinkOf } from "./sinks.ts";
import type { Sink } from "./sinks.ts";
import { systemCodeOf } from "./system-error.ts";
import { exactTimestamp } from "./timestamp.ts";
import { pathText, toWirePlace } from "./wire-path.ts";
import type { PathLike, PlaceContext, WirePlace } from "./wire-path.ts";

/** What became of a file that was moved, with the fields of OpenHands' model. */
export interface FileOperationResult {
  readonly success: boolean;
  /** Where it came from. Empty for bytes and streams. */
  readonly sourcePath: string;
  /** Where it went. Empty for bytes and streams. */
  readonly destinationPath: string;
  /** Its size in bytes. Null unless it succeeded. */
  readonly fileSize: number | null;
  /** What went wrong, for people. Null where it succeeded. */
  readonly error: string | null;
  /** What went wrong, for programs: "ENOENT", "ENOSPC" … Undefined where it succeeded. */
  readonly code?: string | undefined;
  /** Names this state of the file in the workspace, for `ifMatch`. Undefined unless it succeeded. */
  readonly etag?: string | undefined;
  /** Whether the file changed while it was downloaded. */
  readonly changed?: boolean | undefined;
  /** What was downloaded, where no destination was given. */
  readonly data?: Buffer | undefined;
}

export interface FileUploadOptions extends AsUser {
  onProgress?: OnProgress | undefined;
  /** Aborting rejects with an AbortError, and leaves the old file. */
  signal?: AbortSignal | undefined;
  /** The permission bits. Default: those of the source file; for bytes and streams those of the file that is there. */
  mode?: number | undefined;
  /** Write only where no file is. */
  ifAbsent?: boolean | undefined;
  /** Replace only the file with this etag. */
  ifMatch?: string | undefined;
  /** The SHA-256 of the bytes, checked before the file appears. */
  sha256?: Uint8Array | undefined;
  /** What the bytes are checked with, on both sides. Default "crc32". */
  digest?: TransferDigest | undefined;
  /**
   * Go on where an earlier call with `resume`, of this process or another, was broken off: the same file in the same
   * state, to the same path, with the same options. What came over is kept when this one breaks or is aborted, for as
   * long as the server's `upload_retention`. Only for files of this machine. Default false.
   */
  resume?: boolean | undefined;
}

export interface FileDownloadOptions extends AsUser {
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
  /**
   * Go on where an earlier call with `resume`, of this process or another, was broken off, if the file in the workspace
   * is still the same. What came over is kept beside the destination when this one breaks or is aborted. Only for files
   * of this machine. Default false.
   */
  resume?: boolean | undefined;
  /** Read only the file with this etag. */
  ifMatch?: string | undefined;
  /** What the bytes are checked with, on both sides. Default "crc32". */
  digest?: TransferDigest | undefined;
}

const forBoth = { user: true, onProgress: true, signal: true, resume: true, ifMatch: true, digest: true } as const;
const uploadOptions: Names<FileUploadOptions> = { ...forBoth, mode: true, ifAbsent: true, sha256: true };
const downloadOptions: Names<FileDownloadOptions> = forBoth;

/**
 * Where a download may go: a path on this machine, or a stream, which is not ended. Of a link the file that it leads to is
 * replaced; a pipe or a device is given as a stream.
 */
export type DownloadDestination = string | URL | Writable;

/** Uploads a file from this machine, from memory or from a stream. What the file system says is a result. */
export async function fileUpload(
  connection: Connection,
  context: PlaceContext,
  source: UploadInput,
  destination: PathLike,
  options: FileUploadOptions = {},
): Promise<FileOperationResult> {
  onlyKnown(options, uploadOptions);
  const paths = { sourcePath: localPath(source), destinationPath: pathText(destination) };
  return asResult(paths, async () => {
    const bytes = await openSource(source);
    try {
      const mode = options.mode ?? bytes.mode;
      const header = {
        ...toWirePlace(context, destination, options.user),
        createParents: true,
        ifMatch: options.ifMatch ?? "",
        ifAbsent: options.ifAbsent ?? false,
        ...(mode !== undefined && { mode }),
        ...(bytes.mtimeNs !== undefined && { modifyTime: exactTimestamp(bytes.mtimeNs) }),
      };
      const { file, committedBytes } = await upload(connection, header, bytes, options);
      return { fileSize: Number(committedBytes), etag: file?.etag };
    } finally {
      await bytes.close();
    }
  });
}

/** Downloads a file to this machine, to a stream, or into memory. What the file system says is a result. */
export async function fileDownload(
  connection: Connection,
  context: PlaceContext,
  source: PathLike,
  destination: DownloadDestination | undefined,
  options: FileDownloadOptions = {},
): Promise<FileOperationResult> {
  onlyKnown(options, downloadOptions);
  const target = typeof destination === "string" || destination instanceof URL ? localPath(destination) : undefined;
  const paths = { sourcePath: pathText(source), destinationPath: target ?? "" };
  return asResult(paths, async () => {
    const request = { ...toWirePlace(context, source, options.user), ifMatch: options.ifMatch ?? "" };
    if (target !== undefined && options.resume === true) return downloadResumed(connection, request, target, options);
    const sink =
      target === undefined ? sinkOf(destination as Writable | undefined, options.signal) : await fileSink(target);
    try {
      return await receive(connection, request, sink, options);
    } catch (error) {
      await sink.discard();
      throw error;
    }
  });
}

async function receive(
  connection: Connection,
  request: Parameters<typeof download>[1],
  sink: Sink,
  options: FileDownloadOptions,
): Promise<Partial<FileOperationResult>> {
  for (let round = 1; ; round++) {
    try {
      return await receiveOnce(connection, request, sink, options);
    } catch (error) {
      // Another file took the name while the connection was away: that one is wanted now, from its first byte.
      const isOther = YonderError.is(error) && (error.reason === "ETAG_MISMATCH" || error.reason === "FILE_CHANGED");
      if (!isOther || request.ifMatch !== "" || sink.restart === undefined || round === maxRounds) throw error;
      await sink.restart();
    }
  }
}

/** Downloads into a part that outlives this process, from the byte at which an earlier one stood. */
export async function downloadResumed(
  connection: Connection,
  request: WirePlace & { ifMatch: string },
  target: string,
  options: FileDownloadOptions,
): Promise<Partial<FileOperationResult>> {
  for (let round = 1; ; round++) {
    const { path, rawPath, user } = request;
    const { file } = await connection.call(FileService.method.stat, { path, rawPath, user }, options);
    const etag = request.ifMatch === "" ? (file?.etag ?? "") : request.ifMatch;
    const part = await LocalFile.resume(target, etag, Number(file?.sizeBytes ?? 0n));
    const range = { ...request, ifMatch: etag, offset: BigInt(part.position) };
    try {
      const sink = sinkInto(part);
      return await receiveOnce(connection, range, sink, options, part);
    } catch (error) {
      const isOther = YonderError.is(error) && (error.reason === "ETAG_MISMATCH" || error.reason === "FILE_CHANGED");
      const isDamaged = YonderError.is(error) && error.reason === "DIGEST_MISMATCH";
      // What is there of another state of the file is of no use.
      await (isOther || isDamaged ? part.discard() : part.keep());
      if (!isOther || request.ifMatch !== "" || round === maxRounds) throw error;
    }
  }
}

async function receiveOnce(
  connection: Connection,
  request: Parameters<typeof download>[1],
  sink: Sink,
  { signal, digest, onProgress }: FileDownloadOptions,
  resumed?: LocalFile,
): Promise<Partial<FileOperationResult>> {
  const position = resumed?.position ?? 0;
  const earlier = resumed && ((): AsyncIterable<Uint8Array> => resumed.read(position));
  let [transferredBytes, totalBytes] = [position, 0];
  let file: FileStats | undefined;
  let changed = false;
  // What is read ahead must not wait for more once a chunk cannot be written.
  const abort = new LinkedAbort(signal);
  const { held } = sink;
  const parts = download(connection, request, { signal: abort.signal, digest, earlier, held });
  try {
    for await (const batch of inBatches(parts, Math.max(1, held))) {
      const chunks: Uint8Array[] = [];
      for (const part of batch) {
        if (part.type === "started") {
          file = new FileStats(part.file);
          sink.begin?.(part.length);
          totalBytes = position + part.length;
        } else if (part.type === "chunk") {
          chunks.push(part.data);
        } else {
          changed = part.changed;
        }
      }
      if (chunks.length > 0) await sink.write(chunks);
      for (const { length } of chunks) {
        transferredBytes += length;
        await onProgress?.({ transferredBytes, totalBytes: Math.max(totalBytes, transferredBytes) });
        // Whatever was read ahead of it.
        throwIfAborted(signal);
      }
    }
  } finally {
    abort.abort(new ConnectError("the reader has gone", Code.Canceled));
    abort.release();
  }
  if (file === undefined) throw new Error("a download without a beginning");
  const result = { fileSize: transferredBytes, etag: file.etag, ...(changed && { changed }) };
  return { ...result, ...(await sink.finish(file)) };
}

/** What the file system says becomes a result; everything else (no connection, no key, aborted) is thrown. */
async function asResult(
  paths: { sourcePath: string; destinationPath: string },
  act: () => Promise<Partial<FileOperationResult>>,
): Promise<FileOperationResult> {
  try {
    return { success: true, ...paths, fileSize: null, error: null, ...(await act()) };
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    return { success: false, ...paths, fileSize: null, error: error.message, code };
  }
}

function localPath(path: unknown): string {
  if (path instanceof URL) return fileURLToPath(path);
  return typeof path === "string" ? resolve(path) : "";
}

/** How often a file that changes under the reader is begun again. */
const maxRounds = 3;
