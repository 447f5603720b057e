import { danglingHead, decodeText, incompleteTail } from "./text-decoder.ts";

/** Keeps the first and the last bytes of a stream, `maxBytes` at most, however long it is and however it is cut. */
export class Capture {
  readonly #headLimit: number;
  readonly #head: Growing;
  readonly #tail: Ring;
  #headClosed = false;
  #left = 0;

  constructor(maxBytes: number) {
    this.#headLimit = Math.ceil(maxBytes / 2);
    this.#head = new Growing();
    this.#tail = new Ring(maxBytes - this.#headLimit);
  }

  push(bytes: Uint8Array): void {
    const room = this.#headClosed ? 0 : this.#headLimit - this.#head.length;
    if (room > 0) this.#head.push(bytes.subarray(0, room));
    if (bytes.length <= room) return;
    this.#headClosed = true;
    this.#left += this.#tail.push(bytes.subarray(room));
  }

  /** Bytes that are gone before they could be kept: what comes now does not follow on what was before. */
  skip(count: number): void {
    if (count === 0) return;
    this.#headClosed = true;
    this.#left += count + this.#tail.clear();
  }

  /** What was kept: its bytes, their text, and how many bytes are missing between the first and the last. */
  read(): { bytes: Uint8Array; text: string; leftOut: number } {
    let head = this.#head.bytes();
    let tail = this.#tail.bytes();
    let leftOut = this.#left;
    if (leftOut > 0) {
      // A character that the cut goes through is left out whole, or it would show as one that was never printed.
      const [end, begin] = [incompleteTail(head), danglingHead(tail)];
      head = head.subarray(0, head.length - end);
      tail = tail.subarray(begin);
      leftOut += end + begin;
    }
    const bytes = tail.length === 0 ? head : Buffer.concat([head, tail]);
    // With nothing left out the two are one text, and a character may lie across their edge.
    const text = leftOut === 0 ? decodeText(bytes) : decodeText(head) + decodeText(tail);
    return { bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), text, leftOut };
  }
}

/** Bytes in one buffer that doubles: a list of chunks would weigh a hundred times its bytes when they come one by one. */
class Growing {
  #buffer = new Uint8Array(0);
  length = 0;

  push(bytes: Uint8Array): void {
    this.#buffer = grown(this.#buffer, this.length, this.length + bytes.length);
    this.#buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }
}

/** The last `limit` bytes, in a buffer that doubles up to it and is then written round and round. */
class Ring {
  readonly #limit: number;
  #buffer = new Uint8Array(0);
  #length = 0;
  /** Where the next byte goes, once the buffer is full. */
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns how many bytes fell out. */
  push(bytes: Uint8Array): number {
    const before = this.#length;
    let rest = bytes.subarray(Math.max(0, bytes.length - this.#limit));
    const room = this.#limit - this.#length;
    if (room > 0) {
      const now = rest.subarray(0, room);
      this.#buffer = grown(this.#buffer, this.#length, Math.min(this.#limit, this.#length + now.length), this.#limit);
      this.#buffer.set(now, this.#length);
      this.#length += now.length;
      rest = rest.subarray(room);
    }
    while (rest.length > 0) {
      const now = rest.subarray(0, this.#limit - this.#next);
      this.#buffer.set(now, this.#next);
      this.#next = (this.#next + now.length) % this.#limit;
      rest = rest.subarray(now.length);
    }
    return before + bytes.length - this.#length;
  }

  clear(): number {
    const length = this.#length;
    this.#length = 0;
    this.#next = 0;
    return length;
  }

  bytes(): Uint8Array {
    if (this.#next === 0) return this.#buffer.subarray(0, this.#length);
    return Buffer.concat([this.#buffer.subarray(this.#next, this.#length), this.#buffer.subarray(0, this.#next)]);
  }
}

function grown(
  buffer: Uint8Array<ArrayBuffer>,
  used: number,
  needed: number,
  limit = Infinity,
): Uint8Array<ArrayBuffer> {
  if (needed <= buffer.length) return buffer;
  const larger = new Uint8Array(Math.min(limit, Math.max(needed, buffer.length * 2, 4096)));
  larger.set(buffer.subarray(0, used));
  return larger;
}
