/** The bytes of a file on their way into memory, of which there may be as many as `readFile` of `node:fs` takes. */
export class Gathering {
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  /** Throws where so many more are too many. */
  expect(size: number): void {
    if (this.#size + size <= maxBytes) return;
    const message = `A file of ${this.#size + size} bytes is too large for memory, which takes ${maxBytes}: read it as a stream`;
    throw Object.assign(new RangeError(message), { code: "ERR_FS_FILE_TOO_LARGE", errno: -27 });
  }

  add(data: Uint8Array): void {
    this.expect(data.length);
    this.#pieces.push(data);
    this.#size += data.length;
  }

  all(): Buffer {
    return Buffer.concat(this.#pieces, this.#size);
  }
}

const maxBytes = 2 ** 31 - 1;
