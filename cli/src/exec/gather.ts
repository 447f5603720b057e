import type { Readable } from "node:stream";

/** No more is read while so much waits. */
const mostBytes = 1 << 20;

/**
 * The bytes of a stream, as they come; those that came while the last ones were on their way are put together, so that
 * a way with a long delay is used well.
 */
export async function* gather(stream: Readable): AsyncGenerator<Uint8Array> {
  let chunks: Buffer[] = [];
  let size = 0;
  let isOver = false;
  let wake = () => {};
  let failure: Error | undefined;
  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= mostBytes) stream.pause();
    wake();
  };
  const onEnd = () => {
    isOver = true;
    wake();
  };
  const onError = (error: Error) => {
    failure = error;
    wake();
  };
  stream.on("data", onData).once("end", onEnd).once("close", onEnd).once("error", onError);
  try {
    for (;;) {
      if (size > 0) {
        const bytes = Buffer.concat(chunks);
        chunks = [];
        size = 0;
        stream.resume();
        yield bytes;
      } else if (failure) {
        throw failure;
      } else if (isOver) {
        return;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    stream.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", onError);
    stream.pause();
  }
}
