import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Http2Session, IncomingHttpHeaders } from "node:http2";
import type { CallEvents } from "./call-stream.ts";
import { aheadBytes } from "./fit-windows.ts";
import { readEnd, readHead } from "./grpc-reply.ts";
import type { ReplyHead } from "./grpc-reply.ts";
import type { MessageMemory } from "./message-memory.ts";
import { MessageReader } from "./message-reader.ts";

/** What holds up a stream, and lets it go on. */
export interface Tap {
  readonly session: Http2Session | undefined;
  pause(): void;
  resume(): void;
}

/**
 * The replies of a call as they are read, one by one. It takes in one more than its reader has, or many small ones; and as
 * many as `aheadBytes` says where their memory is used again.
 */
export class ReplyStream<Desc extends DescMessage> implements CallEvents, AsyncIterator<MessageShape<Desc>> {
  readonly trailer = new Headers();
  readonly #head = Promise.withResolvers<ReplyHead>();
  readonly #memory: MessageMemory;
  readonly #messages: MessageReader<Desc>;
  readonly #onOver: (error: ConnectError | undefined) => void;
  #tap: Tap | undefined;
  #known: ReplyHead | undefined;
  #isPaused = false;
  #waiting: PromiseWithResolvers<IteratorResult<MessageShape<Desc>>> | undefined;
  /** The memory of the messages that the reader has, the oldest first. */
  readonly #lent: Uint8Array[] = [];
  #end: { readonly error: ConnectError | undefined } | undefined;

  /** @param onOver called once with what the call ended with */
  constructor(desc: Desc, maxBytes: number, memory: MessageMemory, onOver: (error: ConnectError | undefined) => void) {
    this.#memory = memory;
    this.#messages = new MessageReader(desc, maxBytes, memory);
    this.#onOver = onOver;
    this.#head.promise.catch(() => {});
  }

  /** Resolves when the replies begin. */
  head(tap: Tap): Promise<ReplyHead> {
    this.#tap = tap;
    return this.#head.promise;
  }

  next(): Promise<IteratorResult<MessageShape<Desc>>> {
    if (this.#lent.length >= Math.max(1, this.#memory.held)) this.#memory.giveBack(this.#lent.shift() ?? none);
    const received = this.#messages.take();
    if (received !== undefined) {
      this.#lent.push(received.memory);
      this.#balance();
      return Promise.resolve({ done: false, value: received.message });
    }
    if (this.#end?.error !== undefined) return Promise.reject(this.#end.error);
    if (this.#end !== undefined) return Promise.resolve({ done: true, value: undefined });
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  onHead(headers: IncomingHttpHeaders): void {
    this.#known = readHead(headers);
    if (this.#known.error !== undefined) throw this.#known.error;
    this.#head.resolve(this.#known);
  }

  onData(chunk: Uint8Array): void {
    try {
      this.#messages.push(chunk);
    } finally {
      this.#serve();
      this.#balance();
    }
  }

  onEnd(trailers: IncomingHttpHeaders): void {
    readEnd(this.#messages, this.#known, trailers, this.trailer);
    this.#finish(undefined);
  }

  onFailure(error: ConnectError, isOurs: boolean): void {
    if (isOurs) this.#messages.ready.length = 0;
    this.#head.reject(error);
    this.#finish(error);
  }

  #serve(): void {
    if (this.#waiting === undefined) return;
    const received = this.#messages.take();
    if (received === undefined) return;
    this.#lent.push(received.memory);
    this.#waiting.resolve({ done: false, value: received.message });
    this.#waiting = undefined;
  }

  #finish(error: ConnectError | undefined): void {
    this.#end = { error };
    if (error === undefined) this.#waiting?.resolve({ done: true, value: undefined });
    else this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.#onOver(error);
  }

  #balance(): void {
    const isFull = this.#messages.ready.length > 1 && this.#messages.readyBytes > this.#mostBytes();
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.#tap?.pause();
    else this.#tap?.resume();
  }

  #mostBytes(): number {
    return this.#memory.held === 0 ? maxReadyBytes : aheadBytes(this.#tap?.session);
  }
}

const none = new Uint8Array(0);
const maxReadyBytes = 256 * 1024;
