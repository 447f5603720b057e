import { ChunkDecoder } from "./text-decoder.ts";

/** Past it a line without an end is given out in pieces, so that memory stays bounded. */
const maxLineLength = 1 << 20;

/** Cuts one stream into lines. A line ends with "\n" or "\r\n", which are not part of it. */
export class LineSplitter {
  readonly #decoder = new ChunkDecoder();
  #rest: string[] = [];
  #restLength = 0;

  /** The lines that `bytes` complete. */
  *push(bytes: Uint8Array): Generator<string> {
    yield* this.#split(this.#decoder.push(bytes));
  }

  /** What is left at the end, if it does not end with a line's end. */
  *flush(): Generator<string> {
    yield* this.#split(this.#decoder.flush());
    if (this.#restLength > 0) yield this.#take();
  }

  *#split(text: string): Generator<string> {
    let begin = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", begin)) {
      this.#keep(text.slice(begin, end));
      yield this.#take().replace(/\r$/, "");
      begin = end + 1;
    }
    this.#keep(text.slice(begin));
    if (this.#restLength >= maxLineLength) yield this.#take();
  }

  #keep(text: string): void {
    if (text === "") return;
    this.#rest.push(text);
    this.#restLength += text.length;
  }

  #take(): string {
    const line = this.#rest.join("");
    this.#rest = [];
    this.#restLength = 0;
    return line;
  }
}
