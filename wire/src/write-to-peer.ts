import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { FullFrames } from "./full-frames.ts";
import { writePieces } from "./outgoing.ts";

type NodeResponse = ServerResponse | Http2ServerResponse;

/**
 * Resolves when more may be written. Large pieces are someone's memory, so it takes until they have left it.
 *
 * @param frames what the response's stream is written to by. Default: directly.
 */
export function writeToPeer(response: NodeResponse, pieces: readonly Uint8Array[], frames?: FullFrames): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = ("stream" in response ? response.stream : response) as ServerResponse;
    if (stream.errored) return reject(stream.errored);
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    const onClose = (): void =>
      onError(Object.assign(new Error("the stream was closed"), { code: "ERR_STREAM_DESTROYED" }));
    const settle = (): void => {
      stream.off("error", onError).off("close", onClose);
    };
    const done = (error?: Error | null): void => {
      if (error) return onError(error);
      settle();
      resolve();
    };
    stream.once("error", onError).once("close", onClose);
    const onWritten = (error?: Error | null): void => {
      if (error || pieces.length > 1 || !isFlushed) done(error);
    };
    const isFlushed = frames === undefined ? writePieces(stream, pieces, onWritten) : frames.write(pieces, onWritten);
    if (isFlushed && pieces.length === 1) done();
  });
}
