import { randomBytes } from "node:crypto";
import { extract } from "tar-stream";
import type { Extract } from "tar-stream";
import { InvalidRequest } from "../util/errors.ts";
import type { TreeReport } from "../util/errors.ts";
import { makeWay, openDirectory } from "./directory.ts";
import { fileError } from "./errno.ts";
import { pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths } from "./place.ts";
import { partPrefix } from "./part-file.ts";
import { QuickDisk } from "./quick-disk.ts";
import { readTarEntry } from "./tar-entry.ts";
import { skip } from "./tree-report.ts";
import { TreeWriter } from "./tree-writer.ts";
import type { Receiver } from "./upload.ts";

/** What a tree's upload is; the contract's TreeUploadHeader. */
export interface TreeUploadHeader {
  readonly uploadId: string;
  readonly path: PathBytes;
  readonly sizeBytes: number | undefined;
}

/** Unpacks a tar stream below a directory, as its bytes come. */
export class TreeReceiver implements Receiver {
  readonly path: PathBytes;
  readonly #writer: TreeWriter;
  readonly #extract = extract(extractOptions);
  readonly #ended: Promise<void>;
  #failure: unknown;
  #isFailed = false;
  #isGivenUp = false;

  private constructor(path: PathBytes, writer: TreeWriter) {
    this.path = path;
    this.#writer = writer;
    this.#ended = this.#unpack();
    this.#ended.catch((error: unknown) => {
      this.#isFailed = true;
      this.#failure = error;
    });
  }

  /** Opens the target, and makes it where it is missing. */
  static begin(paths: Paths, path: PathBytes): Promise<TreeReceiver> {
    return paths.locate(path, { follow: "target", createParents: true }, async (place) => {
      await makeWay(place.at);
      const root = await openDirectory(place.at, true);
      const writer = new TreeWriter({
        root,
        disk: await QuickDisk.under(root.at),
        partName: Buffer.from(partPrefix + randomBytes(12).toString("hex")),
      });
      return new TreeReceiver(place.path, writer);
    });
  }

  get file(): undefined {
    return undefined;
  }

  get sha256(): undefined {
    return undefined;
  }

  get tree(): TreeReport {
    return this.#writer.report;
  }

  async take(pieces: readonly Uint8Array[]): Promise<void> {
    for (const data of pieces) {
      if (this.#isFailed || this.#extract.destroyed) break;
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      // It is full until the entry that it is at has been written: that holds the sender back.
      if (!this.#extract.write(bytes)) await this.#drained();
    }
    await this.#throwFailure();
  }

  async complete(): Promise<void> {
    this.#extract.end(null);
    await this.#ended.catch(() => {});
    await this.#throwFailure();
    await this.#explain(() => this.#writer.finish({ sync: true }));
  }

  pause(): Promise<void> {
    return Promise.resolve();
  }

  async discard(): Promise<void> {
    this.#isGivenUp = true;
    this.#extract.destroy();
    await this.#ended.catch(() => {});
    await this.#writer.abandon();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#extract.off("drain", end);
        this.#extract.off("close", end);
        resolve();
      };
      this.#extract.on("drain", end);
      this.#extract.on("close", end);
    });
  }

  async #unpack(): Promise<void> {
    for await (const entry of this.#extract) {
      await this.#unpackEntry(entry);
      // Asked for the next entry then, the library would wait for ever.
      if (this.#isGivenUp) break;
    }
    await this.#writer.drain();
  }

  async #unpackEntry(entry: Entry): Promise<void> {
    const header = readTarEntry(entry.header);
    if (header === undefined) {
      skip(this.tree, Buffer.from(entry.header.name, "latin1"));
      entry.resume();
      return;
    }
    try {
      await this.#writer.write(header, entry as AsyncIterable<Buffer>);
    } catch (error) {
      throw fileError(error, header.name);
    }
    entry.resume();
  }

  async #throwFailure(): Promise<void> {
    if (this.#extract.destroyed) await this.#ended.catch(() => {});
    if (this.#isFailed) await this.#explain(() => Promise.reject(this.#failure));
  }

  /** Adds to an error what was written before it. */
  async #explain(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      await this.#writer.settle();
      const known = fileError(error, this.path);
      if (known instanceof Error && "context" in known) {
        (known.context as { tree?: TreeReport }).tree = { ...this.tree };
        throw known;
      }
      const message = `The tar stream is malformed: ${error instanceof Error ? error.message : String(error)}`;
      throw new InvalidRequest("ENTRY_REFUSED", message, {
        subject: pathText(this.path),
        tree: { ...this.tree },
        cause: error,
      });
    }
  }
}

type Entry = Extract extends AsyncIterable<infer T> ? T : never;

/** Each byte of a name as one character; the library's types do not know the option. */
const extractOptions: object = { filenameEncoding: "latin1" };
