import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { FileService } from "@yonder/proto";
import type { DownloadRequestSchema, DownloadResponse, FileInfo } from "@yonder/proto";
import type { Connection } from "../connection/connection.ts";
import { LinkedAbort } from "../connection/linked-abort.ts";
import type { Retry } from "../connection/retry.ts";
import { combineCrc32, crc32 } from "./crc32.ts";

export type DownloadInit = Omit<MessageInitShape<typeof DownloadRequestSchema>, "$typeName">;

export type DownloadPart =
  | { readonly type: "started"; readonly file: FileInfo; readonly length: number }
  | { readonly type: "chunk"; readonly data: Uint8Array }
  | { readonly type: "finished"; readonly changed: boolean };

/**
 * Downloads a file or a range of it, over as many connections as it takes: each goes on where the last one broke, and
 * only if the file is still the same (ETAG_MISMATCH where it is not). Every chunk and the whole are checked. With `inTurn`
 * a chunk's bytes are good only until the next part is asked for.
 */
export async function* download(
  connection: Connection,
  request: DownloadInit,
  { signal, inTurn = false }: { signal?: AbortSignal | undefined; inTurn?: boolean } = {},
): AsyncGenerator<DownloadPart> {
  const retry = connection.retry({ signal });
  const begin = Number(request.offset ?? 0n);
  const state: State = { begin, position: begin, file: undefined };
  for (;;) {
    const abort = new LinkedAbort(signal, connection.closed);
    try {
      for await (const part of attempt(connection, request, state, retry, abort.signal, inTurn)) {
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
}

async function* attempt(
  connection: Connection,
  request: DownloadInit,
  state: State,
  retry: Retry,
  signal: AbortSignal,
  inTurn: boolean,
): AsyncGenerator<DownloadPart> {
  const isResumed = state.file !== undefined;
  const from = state.position;
  const { method } = FileService;
  const replies = await connection.stream(method.download, goOn(request, state), retry, signal, { inTurn });
  const messages: AsyncIterable<DownloadResponse> = { [Symbol.asyncIterator]: () => replies };
  let whole = 0;
  for await (const { part } of messages) {
    if (part.case === "started" && part.value.file !== undefined) {
      state.file ??= part.value.file;
      if (!isResumed) yield { type: "started", file: part.value.file, length: Number(part.value.length) };
    } else if (part.case === "chunk") {
      const { data, offset, crc32: told } = part.value;
      if (Number(offset) !== state.position) throw broken(`bytes at ${offset} follow on ${state.position}`);
      const digest = crc32(data);
      if (told !== undefined && told !== digest) throw broken(`the CRC-32 of the bytes at ${offset} does not fit`);
      whole = combineCrc32(whole, digest, data.length);
      state.position += data.length;
      retry.progress();
      yield { type: "chunk", data };
    } else if (part.case === "finished") {
      const isWhole = Number(part.value.sizeBytes) === state.position - from && part.value.crc32 === whole;
      if (!isWhole) throw broken("the digest of the whole does not fit");
      yield { type: "finished", changed: part.value.changed };
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

function broken(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what}`, Code.InvalidArgument);
}
