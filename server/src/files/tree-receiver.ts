import { randomBytes } from "node:crypto";
import { QuickDisk, TarReader } from "@yonder/transfer";
import type { TarHead } from "@yonder/transfer";
import { InvalidRequest } from "../util/errors.ts";
import type { TreeReport } from "../util/errors.ts";
import { makeWay, openDirectory } from "./directory.ts";
import { fileError } from "./errno.ts";
import { Feed } from "./feed.ts";
import { pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths } from "./place.ts";
import { partPrefix } from "./part-file.ts";
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
  readonly #feed = new Feed();
  readonly #reader = new TarReader(this.#feed);
  readonly #ended: Promise<void>;
  #failure: { readonly error: unknown } | undefined;
  #isGivenUp = false;

  private constructor(path: PathBytes, writer: TreeWriter) {
    this.path = path;
    this.#writer = writer;
    this.#ended = this.#unpack();
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
    // Each waits until what is in it has been written: that holds the sender back.
    for (const data of pieces) await this.#feed.give(data);
    await this.#throwFailure();
  }

  async complete(): Promise<void> {
    this.#feed.end();
    await this.#ended;
    await this.#throwFailure();
    await this.#explain(() => this.#writer.finish({ sync: true }));
  }

  pause(): Promise<void> {
    return Promise.resolve();
  }

  async discard(): Promise<void> {
    this.#isGivenUp = true;
    this.#feed.end();
    await this.#ended;
    await this.#writer.abandon();
  }

  async #unpack(): Promise<void> {
    try {
      for await (const head of this.#reader.entries()) {
        if (this.#isGivenUp) return;
        await this.#unpackEntry(head);
      }
      await this.#writer.drain();
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#feed.end();
    }
  }

  async #unpackEntry(head: TarHead): Promise<void> {
    const entry = readTarEntry(head);
    if (entry === undefined) return skip(this.tree, Buffer.from(head.name, "latin1"));
    try {
      await this.#writer.write(entry, this.#reader.content());
    } catch (error) {
      throw fileError(error, entry.name);
    }
  }

  async #throwFailure(): Promise<void> {
    if (this.#failure === undefined) return;
    const { error } = this.#failure;
    await this.#explain(() => Promise.reject(error));
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
