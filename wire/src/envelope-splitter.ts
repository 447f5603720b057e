import { fromBinary } from "@bufbuild/protobuf";
import { heavy } from "./gather.ts";
import type { Lane } from "./lane.ts";
import { countRead } from "./young-garbage.ts";

/** An envelope around an empty message: what Connect reads in the place of a large one. */
const token = new Uint8Array(5);

/**
 * Takes the bytes of a stream of envelopes as they come, cut anywhere, and takes the large messages out: what it returns
 * is the stream for Connect to read, with a token for each. Everything that is not plain (compressed, too large,
 * malformed) is left to Connect, which knows what to say of it.
 */
export class EnvelopeSplitter {
  readonly #lane: Lane;
  readonly #maxBytes: number;
  /** The header that is being read, and how much of it is there. */
  readonly #header = new Uint8Array(5);
  #headerLength = 0;
  /** How much of the envelope's data is missing. */
  #missing = 0;
  /** Where the data of a large message goes. Undefined: it is passed on. */
  #memory: Uint8Array | undefined;
  #length = 0;

  constructor(lane: Lane, maxBytes: number) {
    this.#lane = lane;
    this.#maxBytes = maxBytes;
  }

  /** What of these bytes Connect has to read. */
  split(chunk: Uint8Array): Uint8Array[] {
    if (this.#lane.types === undefined) return [chunk];
    const out: Uint8Array[] = [];
    /** From where on the chunk is passed on as it is. */
    let from = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#memory !== undefined) {
        at += this.#fill(this.#memory, chunk, at);
        from = at;
        if (this.#missing === 0) out.push(...this.#finish(this.#memory));
      } else if (this.#missing > 0) {
        const length = Math.min(this.#missing, chunk.length - at);
        this.#missing -= length;
        at += length;
      } else {
        const begin = at;
        const wasCut = this.#headerLength > 0;
        while (this.#headerLength < 5 && at < chunk.length) this.#header[this.#headerLength++] = chunk[at++] ?? 0;
        if (this.#headerLength === 5 && !this.#begin() && !wasCut) continue;
        // The header is no part of what is passed on as it is: it is cut off, was cut, or is that of a large message.
        if (begin > from) out.push(chunk.subarray(from, begin));
        from = at;
        if (this.#headerLength === 0 && this.#memory === undefined) out.push(this.#header.slice());
      }
    }
    if (at > from) out.push(chunk.subarray(from, at));
    return out;
  }

  /** What is left of an envelope that the stream's end cut off. */
  end(): Uint8Array[] {
    if (this.#memory === undefined)
      return [this.#header.slice(0, this.#headerLength)].filter(({ length }) => length > 0);
    return [this.#header.slice(), this.#memory.subarray(0, this.#length - this.#missing)];
  }

  /** Reads the header; says whether a large message begins that is ours. */
  #begin(): boolean {
    this.#headerLength = 0;
    const [flags = 0, a = 0, b = 0, c = 0, d = 0] = this.#header;
    this.#length = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    this.#missing = this.#length;
    if (flags === 0 && this.#length >= heavy.fromBytes && this.#length <= this.#maxBytes) {
      this.#memory = this.#lane.take(this.#length);
      return true;
    }
    // Other flags tell of the stream's end, which is no message.
    if (flags <= 1) this.#lane.put(undefined);
    return false;
  }

  #fill(memory: Uint8Array, chunk: Uint8Array, at: number): number {
    const length = Math.min(this.#missing, chunk.length - at);
    const piece = at === 0 && length === chunk.length ? chunk : chunk.subarray(at, at + length);
    memory.set(piece, this.#length - this.#missing);
    countRead(length);
    this.#missing -= length;
    return length;
  }

  #finish(memory: Uint8Array): Uint8Array[] {
    const data = memory.subarray(0, this.#length);
    this.#memory = undefined;
    const type = this.#lane.types?.incoming;
    try {
      if (type === undefined) throw new Error("the call has no types");
      this.#lane.put({ message: fromBinary(type, data), memory });
      return [token];
    } catch {
      this.#lane.put(undefined);
      return [this.#header.slice(), data];
    }
  }
}
