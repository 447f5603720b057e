import { finished } from "node:stream";
import type { Readable } from "node:stream";
import { EnvelopeSplitter } from "./envelope-splitter.ts";
import type { Lane } from "./lane.ts";

/**
 * Reads a request's or reply's stream for Connect, as its `data` events bring it. Node's own iterator joins what has come
 * into a fresh array for each step, and takes several promises for it.
 *
 * It reads on while the reader is busy, until one message more is ready for him.
 */
export function readStream(
  stream: Readable,
  lane: Lane,
  maxBytes: number,
  onEnd?: () => void,
): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => new StreamReader(stream, new EnvelopeSplitter(lane, maxBytes), lane, onEnd) };
}

class StreamReader implements AsyncIterator<Uint8Array> {
  readonly #stream: Readable;
  readonly #splitter: EnvelopeSplitter;
  readonly #lane: Lane;
  readonly #onEnd: (() => void) | undefined;
  readonly #ready: Uint8Array[] = [];
  #waiting: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined;
  #begun = false;
  #end: { readonly error: Error | undefined } | undefined;

  constructor(stream: Readable, splitter: EnvelopeSplitter, lane: Lane, onEnd: (() => void) | undefined) {
    this.#stream = stream;
    this.#splitter = splitter;
    this.#lane = lane;
    this.#onEnd = onEnd;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#begun) this.#begin();
    const value = this.#ready.shift();
    if (value !== undefined) {
      this.#resumeOrPause();
      return Promise.resolve({ done: false, value });
    }
    if (this.#end?.error !== undefined) return Promise.reject(this.#end.error);
    if (this.#end !== undefined) return Promise.resolve({ done: true, value: undefined });
    this.#waiting = Promise.withResolvers();
    this.#resumeOrPause();
    return this.#waiting.promise;
  }

  #begin(): void {
    this.#begun = true;
    this.#stream.on("data", (chunk: Uint8Array) => {
      for (const piece of this.#splitter.split(chunk)) this.#hand(piece);
      this.#resumeOrPause();
    });
    this.#stream.once("end", () => {
      for (const piece of this.#splitter.end()) this.#hand(piece);
      this.#finish(undefined);
    });
    finished(this.#stream, { writable: false }, (error) => this.#finish(error ?? undefined));
  }

  #hand(value: Uint8Array): void {
    if (this.#waiting === undefined) {
      this.#ready.push(value);
      return;
    }
    this.#waiting.resolve({ done: false, value });
    this.#waiting = undefined;
  }

  #finish(error: Error | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    if (error === undefined) this.#onEnd?.();
    if (error === undefined) this.#waiting?.resolve({ done: true, value: undefined });
    else this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  #resumeOrPause(): void {
    const isFull = this.#ready.length > maxReady || this.#lane.incoming.length > maxReady;
    if (isFull !== this.#stream.isPaused()) this.#stream[isFull ? "pause" : "resume"]();
  }
}

/** One message is at the reader's while another is ready. */
const maxReady = 1;
