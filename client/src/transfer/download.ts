import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { FileService } from "@yonder/proto";
import type { DownloadRequestSchema, DownloadResponse, FileInfo } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { LinkedAbort } from "../connection/linked-abort.ts";
import { InvalidRequest } from "../errors.ts";
import type { Retry } from "../connection/retry.ts";
import { readDigest, RunningDigest } from "./digest.ts";
import type { TransferDigest } from "./digest.ts";

export type DownloadInit = Omit<
  MessageInitShape<typeof DownloadRequestSchema>,
  "sha256" | "sha256Offset" | "skipCrc32" | "$typeName"
>;

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** How many parts the reader holds at most, the last ones that he asked for: the bytes of others are gone. Default: any. */
  readonly held?: number | undefined;
  /** What the bytes are checked with. Default "crc32". */
  readonly digest?: TransferDigest | undefined;
  /** The bytes from the first one up to the request's offset, which came earlier and are to be covered by a SHA-256. */
  readonly earlier?: (() => AsyncIterable<Uint8Array>) | undefined;
}

export type DownloadPart =
  | { readonly type: "started"; readonly file: FileInfo; readonly length: number }
  | { readonly type: "chunk"; readonly data: Uint8Array }
  | { readonly type: "finished"; readonly changed: boolean };

/**
 * Downloads a file or a range of it, over as many connections as it takes: each goes on where the last one broke, and
 * only if the file is still the same (ETAG_MISMATCH where it is not). Chunks are checked as they come; a SHA-256 is of all
 * that came, over each of them, and DIGEST_MISMATCH where it does not fit.
 */
export async function* download(
  connection: Connection,
  request: DownloadInit,
  { signal, held = 0, digest, earlier }: DownloadOptions = {},
): AsyncGenerator<DownloadPart> {
  const kind = readDigest(digest);
  const retry = connection.retry({ signal });
  const begin = Number(request.offset ?? 0n);
  const hash = new RunningDigest(kind === "sha256" ? kind : "none");
  if (earlier !== undefined && kind === "sha256") for await (const data of earlier()) hash.take(data);
  const hashFrom = earlier === undefined ? begin : 0;
  const state: State = { begin, position: begin, file: undefined, hash, hashFrom };
  for (;;) {
    const abort = new LinkedAbort(signal, connection.closed);
    try {
      for await (const part of attempt(connection, request, state, retry, abort.signal, { held, digest: kind })) {
        yield part;
        if (part.type === "finished") return;
      }
      throw broken("the stream ended before the file");
    } catch (error) {
      await retry.after(error);
    } finally {
      abort.abort(new ConnectError("the reader has gone", Code.Canceled));
      abort.release();
    }
  }
}

interface State {
  readonly begin: number;
  position: number;
  file: FileInfo | undefined;
  /** Of all bytes from `hashFrom` on, where the digest is a SHA-256. */
  readonly hash: RunningDigest;
  readonly hashFrom: number;
}

async function* attempt(
  connection: Connection,
  request: DownloadInit,
  state: State,
  retry: Retry,
  signal: AbortSignal,
  { held, digest: kind }: { readonly held: number; readonly digest: TransferDigest },
): AsyncGenerator<DownloadPart> {
  const isResumed = state.file !== undefined;
  const from = state.position;
  const { method } = FileService;
  const asked = {
    ...goOn(request, state),
    skipCrc32: kind !== "crc32",
    ...(kind === "sha256" && { sha256: true, sha256Offset: BigInt(state.hashFrom) }),
  };
  const replies = await connection.stream(method.download, asked, retry, signal, { held });
  const messages: AsyncIterable<DownloadResponse> = { [Symbol.asyncIterator]: () => replies };
  const digest = new RunningDigest(kind === "crc32" ? kind : "none");
  for await (const { part } of messages) {
    if (part.case === "started" && part.value.file !== undefined) {
      state.file ??= part.value.file;
      if (!isResumed) yield { type: "started", file: part.value.file, length: Number(part.value.length) };
    } else if (part.case === "chunk") {
      const { data, offset, crc32: told } = part.value;
      if (Number(offset) !== state.position) throw broken(`bytes at ${offset} follow on ${state.position}`);
      const own = digest.take(data);
      if (own !== undefined && told !== undefined && told !== own)
        throw broken(`the CRC-32 of the bytes at ${offset} does not fit`);
      state.hash.take(data);
      state.position += data.length;
      retry.progress();
      yield { type: "chunk", data };
    } else if (part.case === "finished") {
      const { sizeBytes, crc32, sha256, changed } = part.value;
      if (Number(sizeBytes) !== state.position - from) throw broken(`${sizeBytes} bytes were sent, others came`);
      if (digest.crc32 !== undefined && digest.crc32 !== crc32) throw broken("the digest of the whole does not fit");
      if (state.hash.sha256()?.equals(sha256) === false) throw mismatch();
      yield { type: "finished", changed };
    }
  }
}

/** What is still to be read, of the very file that was begun with. */
function goOn(request: DownloadInit, { begin, position, file }: State): DownloadInit {
  if (file === undefined) return request;
  const done = BigInt(position - begin);
  return {
    ...request,
    offset: BigInt(position),
    ifMatch: file.etag,
    ...(request.length !== undefined && { length: request.length - done }),
  };
}

/** Which of the bytes are others than they were is not known, so there is nothing to go on with. */
function mismatch(): InvalidRequest {
  return new InvalidRequest("The SHA-256 of what came is another one than that of the file: try again", {
    reason: "DIGEST_MISMATCH",
    subject: "sha256",
  });
}

function broken(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what}`, Code.InvalidArgument);
}
