import { combineCrc32, crc32 } from "@yonder/transfer";
import { Aborted, FailedPrecondition, InvalidRequest } from "../util/errors.ts";
import type { TreeReport } from "../util/errors.ts";
import type { FileInfo } from "./file-info.ts";
import type { PathBytes } from "./path-bytes.ts";
import { Serial } from "./serial.ts";

/** Bytes and where they belong. */
export interface Chunk {
  readonly offset: number;
  readonly data: Uint8Array;
  readonly crc32: number | undefined;
}

export interface Digests {
  readonly crc32: number | undefined;
  readonly sha256: Uint8Array | undefined;
}

/** How far an upload is; the contract's FileUpload. */
export interface UploadStatus {
  readonly uploadId: string;
  readonly path: PathBytes;
  readonly committedBytes: number;
  /** Undefined where none is computed. */
  readonly crc32: number | undefined;
  readonly sizeBytes: number | undefined;
  readonly isFinished: boolean;
  readonly file: FileInfo | undefined;
  readonly tree: TreeReport | undefined;
  readonly sha256: Buffer | undefined;
  readonly expiresAt: number;
}

/** What an upload brings about, be it a file or a tree. */
export interface Receiver {
  /** Takes bytes that were checked and follow on the ones before, in one piece or several. */
  take(pieces: readonly Uint8Array[]): Promise<void>;
  /** Puts all in its place. */
  complete(digests: Digests): Promise<void>;
  /** Lets go of what is open, to go on later. */
  pause(): Promise<void>;
  /** Removes what it left behind. */
  discard(): Promise<void>;
  readonly path: PathBytes;
  readonly file: FileInfo | undefined;
  readonly tree: TreeReport | undefined;
  readonly sha256: Buffer | undefined;
}

export interface UploadOptions {
  readonly uploadId: string;
  /** Equal for equal headers. */
  readonly fingerprint: string;
  readonly sizeBytes: number | undefined;
  readonly retentionMs: number;
  /** Which digests of all bytes are computed. */
  readonly computes: { readonly crc32: boolean; readonly sha256: boolean };
  readonly committedBytes?: number;
  readonly crc32?: number | undefined;
  readonly isFinished?: boolean;
  /** Called once it takes no more bytes, whether it was finished or dropped. */
  readonly onClosed: () => void;
}

/** What of some chunks can be written. */
interface Checked {
  readonly pieces: readonly Uint8Array[];
  readonly end: number;
  readonly crc32: number | undefined;
  /** What is wrong with the chunk after them; an InvalidRequest drops the upload. */
  readonly error: Error | undefined;
}

/** An upload: counts and checks the bytes on their way to a receiver. */
export class Upload {
  readonly uploadId: string;
  readonly fingerprint: string;
  readonly #receiver: Receiver;
  readonly #options: UploadOptions;
  readonly #serial = new Serial();
  #committedBytes: number;
  /** Of the committed bytes; undefined where it is not computed. */
  #crc32: number | undefined;
  #state: "open" | "finished" | "dropped";
  /** Counts the streams that took it over; an older one may not go on. */
  #holder = 0;
  #lastActiveAt = Date.now();
  #pauseTimer: NodeJS.Timeout | undefined;

  constructor(receiver: Receiver, options: UploadOptions) {
    this.#receiver = receiver;
    this.#options = options;
    this.uploadId = options.uploadId;
    this.fingerprint = options.fingerprint;
    this.#committedBytes = options.committedBytes ?? 0;
    this.#crc32 = options.computes.crc32 ? (options.crc32 ?? 0) : undefined;
    this.#state = options.isFinished === true ? "finished" : "open";
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get isFinished(): boolean {
    return this.#state === "finished";
  }

  get expiresAt(): number {
    return this.#lastActiveAt + this.#options.retentionMs;
  }

  /** Takes it over from whoever held it, and returns the number that `write` and `finish` want. */
  takeOver(): number {
    this.#lastActiveAt = Date.now();
    return ++this.#holder;
  }

  /** Takes chunks, up to one that cannot be taken; one that is here already is passed over. */
  write(chunks: readonly Chunk[], holder?: number): Promise<void> {
    if (chunks.length === 0) return Promise.resolve();
    return this.#run(holder, async () => {
      if (this.#state === "finished") return;
      const checked = this.#check(chunks);
      if (checked.pieces.length > 0) await this.#orDrop(() => this.#receiver.take(checked.pieces));
      this.#committedBytes = checked.end;
      this.#crc32 = checked.crc32;
      if (checked.error === undefined) return;
      if (checked.error instanceof InvalidRequest) await this.#drop();
      throw checked.error;
    });
  }

  /** Which bytes are to be written, how far the upload is then, and what is wrong with the chunk after them. */
  #check(chunks: readonly Chunk[]): Checked {
    const { sizeBytes } = this.#options;
    const pieces: Uint8Array[] = [];
    let [end, whole] = [this.#committedBytes, this.#crc32];
    for (const { offset, data, crc32: told } of chunks) {
      const endOfChunk = offset + data.length;
      if (endOfChunk <= end) continue;
      if (offset !== end) return { pieces, end, crc32: whole, error: this.#offsetMismatch(offset, end) };
      const digest = told !== undefined || whole !== undefined ? crc32(data) : undefined;
      if (told !== undefined && told !== digest) return { pieces, end, crc32: whole, error: this.#corrupt(offset) };
      if (sizeBytes !== undefined && endOfChunk > sizeBytes) {
        return { pieces, end, crc32: whole, error: sizeMismatch(sizeBytes, `at least ${endOfChunk}`) };
      }
      pieces.push(data);
      end = endOfChunk;
      if (whole !== undefined && digest !== undefined) whole = combineCrc32(whole, digest, data.length);
    }
    return { pieces, end, crc32: whole, error: undefined };
  }

  /** Checks the whole and puts it in its place. A finished upload stays as it is. */
  finish(digests: Digests, holder?: number): Promise<void> {
    return this.#run(holder, async () => {
      const { sizeBytes, computes } = this.#options;
      if (digests.crc32 !== undefined && !computes.crc32) throw uncomputed("crc32", "does not go with skip_crc32");
      if (digests.sha256 !== undefined && !computes.sha256) throw uncomputed("sha256", "needs sha256");
      if (this.#state === "finished") return;
      await this.#orDrop(async () => {
        if (sizeBytes !== undefined && sizeBytes !== this.#committedBytes) {
          throw sizeMismatch(sizeBytes, String(this.#committedBytes));
        }
        if (digests.crc32 !== undefined && digests.crc32 !== this.#crc32) throw digestMismatch("crc32");
        await this.#receiver.complete(digests);
      });
      this.#state = "finished";
      this.#close();
    });
  }

  /** Lets go of what is open until the next chunk. */
  pause(holder: number): Promise<void> {
    return this.#serial.run(async () => {
      if (holder === this.#holder && this.#state === "open") await this.#receiver.pause();
    });
  }

  /** Gives it up; returns whether it was under way. */
  abort(): Promise<boolean> {
    return this.#serial.run(async () => {
      if (this.#state !== "open") return false;
      await this.#drop();
      return true;
    });
  }

  /** How far it is, once what is under way is done. */
  status(): Promise<UploadStatus> {
    return this.#serial.run(async () => ({
      uploadId: this.uploadId,
      path: this.#receiver.path,
      committedBytes: this.#committedBytes,
      crc32: this.#crc32,
      sizeBytes: this.#options.sizeBytes,
      isFinished: this.#state === "finished",
      file: this.#receiver.file,
      tree: this.#receiver.tree,
      sha256: this.#receiver.sha256,
      expiresAt: this.expiresAt,
    }));
  }

  #run(holder: number | undefined, act: () => Promise<void>): Promise<void> {
    return this.#serial.run(async () => {
      this.#lastActiveAt = Date.now();
      const { uploadId } = this;
      if (holder !== undefined && holder !== this.#holder) {
        throw new Aborted("UPLOAD_TAKEN_OVER", `Another call goes on with upload "${uploadId}"`, { subject: uploadId });
      }
      if (this.#state === "dropped") {
        throw new Aborted("UPLOAD_TAKEN_OVER", `Upload "${uploadId}" was given up`, { subject: uploadId });
      }
      clearTimeout(this.#pauseTimer);
      await act();
      // Unary calls do not say when the client goes away.
      if (holder === undefined && this.#state === "open") {
        this.#pauseTimer = setTimeout(() => void this.pause(this.#holder).catch(() => {}), idleMs).unref();
      }
    });
  }

  /** What fails here cannot be gone on with: nothing is left behind. */
  async #orDrop(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      await this.#drop();
      throw error;
    }
  }

  async #drop(): Promise<void> {
    this.#state = "dropped";
    try {
      await this.#receiver.discard();
    } finally {
      this.#close();
    }
  }

  #close(): void {
    clearTimeout(this.#pauseTimer);
    this.#options.onClosed();
  }

  #offsetMismatch(offset: number, expectedOffset: number): FailedPrecondition {
    return new FailedPrecondition(
      "UPLOAD_OFFSET_MISMATCH",
      `The chunk begins at ${offset}, but the server has ${expectedOffset} bytes`,
      { subject: this.uploadId, expectedOffset, remedy: `Go on at offset ${expectedOffset}.` },
    );
  }

  #corrupt(offset: number): Aborted {
    return new Aborted("CHUNK_CORRUPT", `The CRC-32 of the chunk at ${offset} does not fit its bytes`, {
      subject: this.uploadId,
      expectedOffset: offset,
      remedy: "Send it again.",
    });
  }
}

function uncomputed(field: string, rule: string): InvalidRequest {
  return new InvalidRequest("INVALID_FIELD", `${field} ${rule} in the header of a file's upload`, { subject: field });
}

export function digestMismatch(field: string): InvalidRequest {
  return new InvalidRequest("DIGEST_MISMATCH", `The ${field} of all bytes is another one than was sent`, {
    subject: field,
    remedy: "Begin again: the upload was dropped.",
  });
}

function sizeMismatch(declared: number, came: string): InvalidRequest {
  return new InvalidRequest("SIZE_MISMATCH", `${declared} bytes were declared and ${came} came`, {
    subject: "size_bytes",
    remedy: "Begin again: the upload was dropped.",
  });
}

/** How long a file stays open between unary calls. */
const idleMs = 30_000;
