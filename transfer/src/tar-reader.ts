import { blockBytes, readBlock, readPax, readText, typeOf } from "./tar-block.ts";
import type { TarBlock, TarHead } from "./tar-block.ts";

/**
 * Takes a tar stream apart as its bytes come, in POSIX's format and in GNU's. An entry costs no stream of its own, as it
 * does in the libraries: for small files that takes longer than all else that is done with their headers.
 */
export class TarReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #bytes = new ByteQueue();
  /** Of the content of the entry that was told last, and of what fills its last block. */
  #left = 0;
  #padding = 0;

  constructor(source: AsyncIterator<Uint8Array>) {
    this.#source = source;
  }

  /** The entries, one after the other. What nobody read of one is passed over. */
  async *entries(): AsyncGenerator<TarHead> {
    let ahead: Ahead = {};
    let global: Record<string, string> = {};
    for (;;) {
      await this.#passOver();
      const header = await this.#header();
      if (header === "end") return;
      if (header === undefined) continue;
      if (header.flag === "g") global = { ...global, ...readPax(await this.#text(header)) };
      else if (header.flag === "x") ahead = { ...ahead, pax: readPax(await this.#text(header)) };
      else if (longNames.has(header.flag)) ahead = { ...ahead, name: firstText(await this.#text(header)) };
      else if (header.flag === "K") ahead = { ...ahead, linkName: firstText(await this.#text(header)) };
      else {
        const head = this.#open(header, ahead, global);
        ahead = {};
        yield head;
      }
    }
  }

  /** The content of the entry that was told last, in pieces of the source's memory. */
  async *content(): AsyncGenerator<Buffer> {
    while (this.#left > 0) {
      const piece = this.#bytes.first(this.#left) ?? (await this.#nextPiece());
      this.#left -= piece.length;
      yield piece;
    }
  }

  #open(block: TarBlock, { name, linkName, pax = {} }: Ahead, global: Record<string, string>): TarHead {
    const records = { ...global, ...pax };
    const type = typeOf(block);
    const size = records["size"] === undefined ? block.size : Number(records["size"]);
    if (!Number.isSafeInteger(size) || size < 0) throw new Error("an entry's size is no number");
    // Whatever size a directory is said to have, nothing follows it.
    this.#left = type === "directory" ? 0 : size;
    this.#padding = paddingOf(this.#left);
    return { ...block, type, size, name: name ?? block.name, linkName: linkName ?? block.linkName, pax: records };
  }

  async #header(): Promise<TarBlock | "end" | undefined> {
    while (this.#bytes.length < blockBytes) {
      if (await this.#more()) continue;
      if (this.#bytes.length === 0) return "end";
      throw cutOff();
    }
    return readBlock(this.#bytes.take(blockBytes));
  }

  /** The text that a header opens, all of it. */
  async #text({ size }: TarBlock): Promise<Buffer> {
    if (size > maxTextBytes) throw new Error(`a name or pax header has ${size} bytes, more than ${maxTextBytes}`);
    await this.#need(size + paddingOf(size));
    const text = this.#bytes.take(size);
    this.#bytes.take(paddingOf(size));
    return text;
  }

  async #passOver(): Promise<void> {
    for (let left = this.#left + this.#padding; left > 0;) {
      left -= (this.#bytes.first(left) ?? (await this.#nextPiece(left))).length;
    }
    this.#left = this.#padding = 0;
  }

  async #nextPiece(most = this.#left): Promise<Buffer> {
    await this.#need(1);
    return this.#bytes.first(most) ?? empty;
  }

  async #need(bytes: number): Promise<void> {
    while (this.#bytes.length < bytes) if (!(await this.#more())) throw cutOff();
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    if (done === true) return false;
    this.#bytes.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    return true;
  }
}

/** What was said of an entry before its header. */
interface Ahead {
  readonly name?: string;
  readonly linkName?: string;
  readonly pax?: Record<string, string>;
}

/** Bytes that have come and were not read yet. */
class ByteQueue {
  length = 0;
  #pieces: Buffer[] = [];
  #at = 0;

  push(piece: Buffer): void {
    if (piece.length > 0) this.#pieces.push(piece);
    this.length += piece.length;
  }

  /** Up to so many bytes, as they lie in memory; undefined where there are none. */
  first(most: number): Buffer | undefined {
    const [piece] = this.#pieces;
    if (piece === undefined) return undefined;
    const begin = this.#at;
    const end = Math.min(piece.length, begin + most);
    this.length -= end - begin;
    this.#at = end;
    if (end === piece.length) {
      this.#pieces.shift();
      this.#at = 0;
    }
    return piece.subarray(begin, end);
  }

  /** So many bytes, which have to be there. */
  take(bytes: number): Buffer {
    const taken = this.first(bytes) ?? empty;
    if (taken.length === bytes) return taken;
    const parts = [taken];
    for (let left = bytes - taken.length; left > 0;) {
      const part = this.first(left) ?? empty;
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }
}

function firstText(bytes: Buffer): string {
  return readText(bytes, 0, bytes.length);
}

function paddingOf(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

function cutOff(): Error {
  return new Error("it ends within an entry");
}

/** GNU's "L", and its old form. */
const longNames = new Set(["L", "N"]);
const maxTextBytes = 4 * 1024 * 1024;
const empty = Buffer.alloc(0);
