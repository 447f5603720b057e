import type { Http2Stream } from "node:http2";
import { isLongLine } from "./fit-windows.ts";
import { writePieces } from "./outgoing.ts";

/**
 * Writes to a stream of HTTP/2 so that its frames are full where an answer takes long. A peer's nghttp2 tells of what was
 * read once that is half a window: where the first half ends within a frame, the second one lacks a few bytes, and is told
 * only with what comes an answer's time later. The line is then half empty.
 *
 * So the last bytes of a large write, less than a frame, wait for the next one: not long, and never past the stream's end.
 */
export class FullFrames {
  readonly #stream: Http2Stream;
  /** Of what was written, without the rest. */
  #writtenBytes = 0;
  #rest: Uint8Array = none;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Http2Stream) {
    this.#stream = stream;
  }

  /** Writes the pieces in one go, or all but a rest of which it keeps a copy; calls back as `writePieces` does. */
  write(pieces: readonly Uint8Array[], done: (error?: Error | null) => void): boolean {
    const waiting = this.#takeRest();
    const all = waiting.length === 0 ? pieces : [waiting, ...pieces];
    const byteLength = all.reduce((sum, piece) => sum + piece.length, 0);
    const isBulk = byteLength >= bulkBytes && isLongLine(this.#stream.session);
    const restBytes = isBulk ? (this.#writtenBytes + byteLength) % frameBytes : 0;
    this.#writtenBytes += byteLength - restBytes;
    if (restBytes === 0) return writePieces(this.#stream, all, done);
    const [full, rest] = splitAt(all, byteLength - restBytes);
    this.#rest = rest;
    return writePieces(this.#stream, full, (error) => {
      // Only now: as long as the window is closed, the next write may still come in time.
      clearTimeout(this.#timer);
      if (this.#rest.length > 0) this.#timer = setTimeout(() => this.flush(), restMs).unref();
      done(error);
    });
  }

  /** Writes what waits: before the stream is ended, and where the next write takes too long. */
  flush(): void {
    const rest = this.#takeRest();
    if (rest.length === 0 || this.#stream.destroyed || this.#stream.closed) return;
    this.#writtenBytes += rest.length;
    this.#stream.write(rest);
  }

  #takeRest(): Uint8Array {
    clearTimeout(this.#timer);
    const rest = this.#rest;
    this.#rest = none;
    return rest;
  }
}

/** What is before an offset, and a copy of what is behind it. */
function splitAt(pieces: readonly Uint8Array[], offset: number): [Uint8Array[], Uint8Array] {
  const before: Uint8Array[] = [];
  const after: Uint8Array[] = [];
  let left = offset;
  for (const piece of pieces) {
    if (left > 0) before.push(piece.subarray(0, left));
    if (left < piece.length) after.push(piece.subarray(left));
    left = Math.max(0, left - piece.length);
  }
  return [before, Buffer.concat(after)];
}

const none = new Uint8Array(0);
/** The largest that Node sends, whatever its peer would take. */
const frameBytes = 16 << 10;
/** What is less is likely somebody's answer, and leaves at once. */
const bulkBytes = 128 << 10;
/** How long a rest waits, where an answer takes longer than that. */
const restMs = 2;
