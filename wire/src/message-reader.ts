import { fromBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { envelopeBytes } from "./envelope.ts";
import { heavy } from "./gather.ts";
import type { MessageMemory } from "./message-memory.ts";
import { countRead } from "./young-garbage.ts";

/** A message that has come, and the memory that it refers to. */
export interface Received<M> {
  readonly message: M;
  readonly memory: Uint8Array;
}

/** Makes messages of a stream of envelopes, which comes cut anywhere. What is wrong with it is said in Connect's words. */
export class MessageReader<Desc extends DescMessage> {
  /** The messages that have come and were not taken yet, and how many bytes they have. */
  readonly ready: Received<MessageShape<Desc>>[] = [];
  readyBytes = 0;
  readonly #desc: Desc;
  readonly #maxBytes: number;
  readonly #memory: MessageMemory;
  /** The header that is being read, and how much of it is there. */
  readonly #header = new Uint8Array(envelopeBytes);
  #headerLength = 0;
  /** Where the message goes whose header is there, and how much of it is missing. */
  #data: Uint8Array | undefined;
  #length = 0;
  #missing = 0;

  constructor(desc: Desc, maxBytes: number, memory: MessageMemory) {
    this.#desc = desc;
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  /** Whether a message has begun and is not all there. */
  get isCut(): boolean {
    return this.#headerLength > 0 || this.#data !== undefined;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#data === undefined) {
        this.#header[this.#headerLength++] = chunk[at++] ?? 0;
        if (this.#headerLength < envelopeBytes) continue;
        this.#data = this.#begin();
      } else {
        const length = Math.min(this.#missing, chunk.length - at);
        const piece = at === 0 && length === chunk.length ? chunk : chunk.subarray(at, at + length);
        this.#data.set(piece, this.#length - this.#missing);
        this.#missing -= length;
        at += length;
        if (this.#length >= heavy.fromBytes) countRead(length);
      }
      if (this.#missing === 0) this.#finish(this.#data);
    }
  }

  /** The next message. The memory of the one before is no longer needed where it is used again. */
  take(): Received<MessageShape<Desc>> | undefined {
    const received = this.ready.shift();
    if (received !== undefined) this.readyBytes -= received.memory.length;
    return received;
  }

  #begin(): Uint8Array {
    this.#headerLength = 0;
    const [flags = 0, a = 0, b = 0, c = 0, d = 0] = this.#header;
    this.#length = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    this.#missing = this.#length;
    if (this.#length > this.#maxBytes) {
      const message = `message size ${this.#length} is larger than configured readMaxBytes ${this.#maxBytes}`;
      throw new ConnectError(message, Code.ResourceExhausted);
    }
    if ((flags & compressedFlag) !== 0) {
      throw new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
    }
    return this.#length >= heavy.fromBytes ? this.#memory.take(this.#length) : new Uint8Array(this.#length);
  }

  #finish(memory: Uint8Array): void {
    this.#data = undefined;
    const data = memory.length === this.#length ? memory : memory.subarray(0, this.#length);
    let message: MessageShape<Desc>;
    try {
      message = fromBinary(this.#desc, data);
    } catch (error) {
      throw new ConnectError(`parse binary: ${error instanceof Error ? error.message : String(error)}`, Code.Internal);
    }
    this.ready.push({ message, memory });
    this.readyBytes += memory.length;
  }
}

const compressedFlag = 1;
