import { Code, ConnectError } from "@connectrpc/connect";
import type { Http2Session } from "node:http2";
import { finished } from "node:stream";
import type { Readable } from "node:stream";
import { EnvelopeSplitter } from "./envelope-splitter.ts";
import { aheadBytes } from "./fit-windows.ts";
import type { Lane } from "./lane.ts";

/**
 * Reads a request's or reply's stream for Connect, as its `data` events bring it. Node's own iterator joins what has come
 * into a fresh array for each step, and takes several promises for it.
 *
 * It reads on while the reader is busy, until one message more is ready for him, or as many as `aheadBytes` says where
 * their memory is used again.
 */
export function readStream(stream: Readable, lane: Lane, maxBytes: number, onEnd?: () => void): StreamReader {
  return new StreamReader(stream, new EnvelopeSplitter(lane, maxBytes), lane, onEnd);
}

class StreamReader implements AsyncIterableIterator<Uint8Array> {
  readonly #stream: Readable;
  readonly #splitter: EnvelopeSplitter;
  readonly #lane: Lane;
  readonly #onEnd: (() => void) | undefined;
  readonly #ready: Uint8Array[] = [];
  #readyBytes = 0;
  #waiting: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined;
  #begun = false;
  #end: { readonly error: Error | undefined } | undefined;

  constructor(stream: Readable, splitter: EnvelopeSplitter, lane: Lane, onEnd: (() => void) | undefined) {
    this.#stream = stream;
    this.#splitter = splitter;
    this.#lane = lane;
    this.#onEnd = onEnd;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#begun) this.#begin();
    const value = this.#ready.shift();
    if (value !== undefined) {
      this.#readyBytes -= value.length;
      this.#resumeOrPause();
      return Promise.resolve({ done: false, value });
    }
    if (this.#end?.error !== undefined) return Promise.reject(this.#end.error);
    if (this.#end !== undefined) return Promise.resolve({ done: true, value: undefined });
    this.#waiting = Promise.withResolvers();
    this.#resumeOrPause();
    return this.#waiting.promise;
  }

  /**
   * Nobody reads on. What is still to come has to leave the line all the same: a paused request of HTTP/1.1 holds up the
   * next one of its connection, and a paused stream of HTTP/2 fills the window of all.
   */
  drop(error = new ConnectError("the call is over", Code.Canceled)): void {
    if (this.#end !== undefined) return;
    this.#begun = true;
    this.#stream.off("data", this.#onData).resume();
    this.#ready.length = 0;
    this.#finish(error);
  }

  readonly #onData = (chunk: Uint8Array): void => {
    for (const piece of this.#splitter.split(chunk)) this.#hand(piece);
    this.#resumeOrPause();
  };

  #begin(): void {
    this.#begun = true;
    this.#stream.on("data", this.#onData);
    this.#stream.once("end", () => {
      for (const piece of this.#splitter.end()) this.#hand(piece);
      this.#finish(undefined);
    });
    finished(this.#stream, { writable: false }, (error) => this.#finish(error ?? undefined));
  }

  #hand(value: Uint8Array): void {
    if (this.#waiting === undefined) {
      this.#ready.push(value);
      this.#readyBytes += value.length;
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
    const isFull = this.#isAhead() && this.#readyBytes + this.#lane.incomingBytes >= this.#mostBytes();
    if (isFull !== this.#stream.isPaused()) this.#stream[isFull ? "pause" : "resume"]();
  }

  #isAhead(): boolean {
    return this.#ready.length > maxReady || this.#lane.incoming.length > maxReady;
  }

  #mostBytes(): number {
    if (this.#lane.held === 0) return 0;
    return aheadBytes((this.#stream as { readonly session?: Http2Session }).session);
  }
}

/** One message is at the reader's while another is ready. */
const maxReady = 1;
