import { setTimeout as sleep } from "node:timers/promises";
import { LineSplitter } from "../exec/line-splitter.ts";
import { openInside } from "./inside-file.ts";

const stepMs = 100;
const chunkBytes = 65_536;
/** Of what is no file: a directory, a pipe. */
const nothing = { bytesRead: 0 };

/** Tells the lines that are appended to a file, which need not be there yet. */
export class FollowedFile {
  readonly #path: string;
  readonly #onLine: (line: string) => void;
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;
  readonly #lines = new LineSplitter();
  #position = 0;

  constructor(path: string, onLine: (line: string) => void) {
    this.#path = path;
    this.#onLine = onLine;
    // What the one who is told throws ends it, and is nobody else's.
    this.#following = this.#follow().catch(() => {});
  }

  /** Tells what is there by now, and no more. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#read();
      await sleep(stepMs, undefined, { signal, ref: false }).catch(() => {});
    }
    await this.#read();
    for (const line of this.#lines.flush()) this.#onLine(line);
  }

  async #read(): Promise<void> {
    const file = await openInside(this.#path).catch(() => undefined);
    if (file === undefined) return;
    try {
      for (const buffer = Buffer.alloc(chunkBytes); ;) {
        const { bytesRead } = await file.read(buffer, 0, chunkBytes, this.#position).catch(() => nothing);
        if (bytesRead === 0) return;
        this.#position += bytesRead;
        for (const line of this.#lines.push(buffer.subarray(0, bytesRead))) this.#onLine(line);
      }
    } finally {
      await file.close();
    }
  }
}
