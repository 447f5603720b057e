import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { FileService, FileUploadState } from "@yonder/proto";
import type { FileUpload, UploadHeaderSchema, UploadRequestSchema } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { LinkedAbort } from "../connection/linked-abort.ts";
import { throwIfAborted } from "../connection/retry.ts";
import { untilAborted } from "../connection/until-aborted.ts";
import { Conflict, NotFound, ServerError } from "../errors.ts";
import { toYonderError } from "../connection/error-map.ts";
import { readDigest, RunningDigest } from "./digest.ts";
import type { TransferDigest } from "./digest.ts";
import type { OnProgress } from "./progress.ts";
import { chunkBytes, rechunk } from "./upload-source.ts";
import type { UploadSource } from "./upload-source.ts";

export type UploadHeaderInit = Omit<
  MessageInitShape<typeof UploadHeaderSchema>,
  "uploadId" | "user" | "sha256" | "skipCrc32" | "$typeName"
> & { readonly user: string };

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** A SHA-256 of all bytes, checked by the server before the file appears. */
  readonly sha256?: Uint8Array | undefined;
  /** What the bytes are checked with beside that. Default "crc32". */
  readonly digest?: TransferDigest | undefined;
  /** Go on with what an earlier process sent of the same. */
  readonly resume?: boolean | undefined;
}

/** Uploads a file, over as many connections as it takes: each goes on where the server stands. */
export async function upload(
  connection: Connection,
  header: UploadHeaderInit,
  source: UploadSource,
  options: UploadOptions = {},
): Promise<FileUpload> {
  throwIfAborted(options.signal);
  const digest = readDigest(options.digest);
  const sized = {
    ...header,
    sha256: options.sha256 !== undefined || digest === "sha256",
    skipCrc32: digest !== "crc32",
    ...(source.size !== undefined && { sizeBytes: BigInt(source.size) }),
  };
  const isSmall = source.size !== undefined && source.size <= chunkBytes;
  if (isSmall || source.readFrom === undefined) {
    const whole = { ...sized, uploadId: crypto.randomUUID() };
    return abandonedOnAbort(connection, whole, options, () => byCalls(connection, whole, source, options));
  }
  if (options.resume === true && source.identity !== undefined) {
    const { uploadId, offset } = await findUnfinished(
      connection,
      stableId(source.identity, sized),
      header.user,
      options,
    );
    const whole = { ...sized, uploadId };
    return new StreamedUpload(connection, whole, source.readFrom, options).run(offset);
  }
  const whole = { ...sized, uploadId: crypto.randomUUID() };
  const streamed = new StreamedUpload(connection, whole, source.readFrom, options);
  return abandonedOnAbort(connection, whole, options, () => streamed.run(0));
}

async function abandonedOnAbort(
  connection: Connection,
  { uploadId, user }: Header,
  { signal }: UploadOptions,
  act: () => Promise<FileUpload>,
): Promise<FileUpload> {
  try {
    return await act();
  } catch (error) {
    // Best effort: the server gives it up by itself in the end.
    if (signal?.aborted === true) {
      void connection.call(FileService.method.abortUpload, { uploadId, user }).catch(() => {});
    }
    throw error;
  }
}

/** The same for the same file in the same state and the same header, in every process. */
function stableId(identity: string, header: UploadHeaderInit): string {
  const fields = JSON.stringify({ ...header, identity }, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return `resume-${createHash("sha256").update(fields).digest("hex")}`;
}

/** The upload that is to be gone on with, and from where. One that was finished is another time's: it is passed over. */
async function findUnfinished(
  connection: Connection,
  id: string,
  user: string,
  { signal }: UploadOptions,
): Promise<{ uploadId: string; offset: number }> {
  for (let time = 0; ; time++) {
    const uploadId = `${id}.${time}`;
    try {
      const upload = uploadOf(await connection.call(FileService.method.getUpload, { uploadId, user }, { signal }));
      if (upload.state === FileUploadState.OPEN) return { uploadId, offset: Number(upload.committedBytes) };
    } catch (error) {
      if (NotFound.is(error)) return { uploadId, offset: 0 };
      throw error;
    }
  }
}

type Header = UploadHeaderInit & { readonly uploadId: string };

/** By unary calls: a small file in one, and what comes but once in calls that can each be repeated. */
async function byCalls(
  connection: Connection,
  header: Header,
  source: UploadSource,
  options: UploadOptions,
): Promise<FileUpload> {
  const { signal, onProgress } = options;
  const digest = new RunningDigest(ownDigest(options));
  let offset = 0;
  let isFirst = true;
  const call = async (data: Uint8Array, isLast: boolean): Promise<FileUpload> => {
    const crc32 = digest.take(data);
    const request = {
      uploadId: header.uploadId,
      user: header.user,
      ...(isFirst && { header: { case: "file" as const, value: header } }),
      chunk: { offset: BigInt(offset), data, ...(crc32 !== undefined && { crc32 }) },
      ...(isLast && { finish: finishOf(digest, options) }),
    };
    const reply = await connection.call(FileService.method.writeChunk, request, { signal });
    isFirst = false;
    offset += data.length;
    await onProgress?.({ transferredBytes: offset, totalBytes: source.size });
    return uploadOf(reply);
  };
  let waiting: Uint8Array = new Uint8Array(0);
  for await (const data of untilAborted(rechunk(source.readOnce(), callBytes), connection, signal)) {
    if (waiting.length > 0) await call(waiting, false);
    waiting = data;
  }
  return call(waiting, true);
}

class StreamedUpload {
  readonly #connection: Connection;
  readonly #header: Header;
  readonly #readFrom: (offset: number) => AsyncIterable<Uint8Array>;
  readonly #options: UploadOptions;
  /** The CRC-32 of all bytes up to each offset that the server may stand at. */
  readonly #digests = new Map<number, number>();
  /** What the source or a callback threw, which the wire would wrap. */
  #failure: { error: unknown } | undefined;
  #sent = 0;

  constructor(
    connection: Connection,
    header: Header,
    readFrom: (offset: number) => AsyncIterable<Uint8Array>,
    options: UploadOptions,
  ) {
    this.#connection = connection;
    this.#header = header;
    this.#readFrom = readFrom;
    this.#options = options;
  }

  async run(begin: number): Promise<FileUpload> {
    const { signal } = this.#options;
    const retry = this.#connection.retry({ signal });
    let offset = begin;
    let corrupt = 0;
    for (;;) {
      const abort = new LinkedAbort(signal, this.#connection.closed);
      try {
        const parts = this.#parts(offset, abort.signal);
        return uploadOf(await this.#connection.send(FileService.method.upload, parts, retry, abort.signal));
      } catch (error) {
        if (this.#failure !== undefined) throw this.#failure.error;
        const known = toYonderError(error, this.#connection.peer?.version);
        const isConflict = Conflict.is(known) && known.expectedOffset !== undefined;
        // A flipped bit on the way is sent again; one that comes back is not of the way.
        if (!isConflict || ++corrupt > maxCorrupt) await retry.after(error);
        abort.abort(error);
      } finally {
        abort.release();
      }
      const stands = await this.#whereServerStands();
      if (typeof stands !== "number") return stands;
      if (stands > offset) retry.progress();
      offset = stands;
    }
  }

  /** The offset to go on from, or the upload where it is finished after all. */
  async #whereServerStands(): Promise<number | FileUpload> {
    try {
      const { uploadId, user } = this.#header;
      const reply = await this.#connection.call(FileService.method.getUpload, { uploadId, user }, this.#options);
      const upload = uploadOf(reply);
      return upload.state === FileUploadState.FINISHED ? upload : Number(upload.committedBytes);
    } catch (error) {
      if (NotFound.is(error)) return 0;
      throw error;
    }
  }

  async *#parts(begin: number, signal: AbortSignal): AsyncGenerator<MessageInitShape<typeof UploadRequestSchema>> {
    const { onProgress } = this.#options;
    yield { part: { case: "header", value: this.#header } };
    // What is thrown at a `yield` is the wire's; everything else is the source's or the callback's own.
    let isOurs = true;
    try {
      const totalBytes = this.#header.sizeBytes === undefined ? undefined : Number(this.#header.sizeBytes);
      const digest = await this.#digestUpTo(begin);
      let offset = begin;
      for await (const data of this.#readFrom(begin)) {
        if (signal.aborted) return;
        const crc32 = digest.take(data);
        const chunk = { offset: BigInt(offset), data, ...(crc32 !== undefined && { crc32 }) };
        isOurs = false;
        yield { part: { case: "chunk", value: chunk } };
        isOurs = true;
        offset += data.length;
        if (digest.crc32 !== undefined) this.#remember(offset, digest.crc32);
        this.#sent = Math.max(this.#sent, offset);
        await onProgress?.({ transferredBytes: this.#sent, totalBytes });
      }
      isOurs = false;
      yield { part: { case: "finish", value: finishOf(digest, this.#options) } };
    } catch (error) {
      if (isOurs && !signal.aborted) this.#failure = { error };
      throw error;
    }
  }

  #remember(offset: number, digest: number): void {
    this.#digests.set(offset, digest);
    if (this.#digests.size <= maxDigests) return;
    for (const oldest of this.#digests.keys()) {
      this.#digests.delete(oldest);
      return;
    }
  }

  /** Of what the server has already; that is read again where its digest is not remembered. */
  async #digestUpTo(end: number): Promise<RunningDigest> {
    const kind = ownDigest(this.#options);
    const digest = new RunningDigest(kind, this.#digests.get(end));
    if (end === 0 || kind === "none" || this.#digests.has(end)) return digest;
    let position = 0;
    for await (const data of this.#readFrom(0)) {
      const piece = data.subarray(0, end - position);
      digest.take(piece);
      position += piece.length;
      if (position >= end) break;
    }
    return digest;
  }
}

/** What is computed here: a SHA-256 that the caller knows is not. */
function ownDigest({ digest = "crc32", sha256 }: UploadOptions): TransferDigest {
  return digest === "sha256" && sha256 !== undefined ? "none" : digest;
}

function finishOf(digest: RunningDigest, options: UploadOptions): { crc32?: number; sha256?: Uint8Array } {
  const sha256 = options.sha256 ?? digest.sha256();
  return { ...(digest.crc32 !== undefined && { crc32: digest.crc32 }), ...(sha256 && { sha256 }) };
}

function uploadOf({ upload }: { upload?: FileUpload | undefined }): FileUpload {
  if (upload !== undefined) return upload;
  throw new ServerError("The server answered an upload without saying what became of it", { reason: "UNKNOWN" });
}

/** How much goes into one call: a round trip for each has to be worth it. */
const callBytes = 2 * 1024 * 1024;
const maxDigests = 4096;
const maxCorrupt = 5;
