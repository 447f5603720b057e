import { Capture } from "./capture.ts";
import { ChunkDecoder } from "./text-decoder.ts";

/** Where one stream's bytes go: into the bounded result, and as text to a callback. */
export class OutputSink {
  readonly #capture: Capture;
  readonly #decoder = new ChunkDecoder();
  #callback: ((text: string) => unknown) | undefined;
  #release: (() => void) | undefined;

  constructor(maxBytes: number, callback: ((text: string) => unknown) | undefined) {
    this.#capture = new Capture(maxBytes);
    this.#callback = callback;
  }

  async push(bytes: Uint8Array): Promise<void> {
    this.#capture.push(bytes);
    if (this.#callback) await this.#tell(this.#decoder.push(bytes));
  }

  /** So many bytes are gone for good. */
  async skip(count: number): Promise<void> {
    if (count > 0) await this.flush();
    this.#capture.skip(count);
  }

  /** Gives out what is left of a character that was never completed. */
  async flush(): Promise<void> {
    await this.#tell(this.#decoder.flush());
  }

  /** Calls nobody any more; the result still gets everything. */
  mute(): void {
    this.#callback = undefined;
    this.#release?.();
  }

  read(): { bytes: Uint8Array; text: string; leftOut: number } {
    return this.#capture.read();
  }

  async #tell(text: string): Promise<void> {
    if (text === "" || !this.#callback) return;
    const returned = this.#callback(text);
    if (!isThenable(returned)) return;
    // Waited for until it settles, or nobody cares any more.
    await new Promise<void>((resolve, reject) => {
      this.#release = resolve;
      returned.then(() => resolve(), reject);
    });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined | null)?.then === "function";
}
