import { randomUUID } from "node:crypto";
import { AlreadyExists, LimitExceeded, NotFound } from "../util/errors.ts";
import type { Limits } from "../util/limits.ts";
import { FileReceiver } from "./file-receiver.ts";
import type { FileReceiverOptions, FileUploadHeader } from "./file-receiver.ts";
import { findInfo } from "./file-info.ts";
import type { Paths, Place } from "./place.ts";
import { partTime, removePart } from "./part-file.ts";
import { SerialByKey } from "./serial.ts";
import { TreeReceiver } from "./tree-receiver.ts";
import type { TreeUploadHeader } from "./tree-receiver.ts";
import { Upload } from "./upload.ts";
import { UploadRecords } from "./upload-records.ts";
import type { UploadRecord } from "./upload-records.ts";

export interface UploadsOptions {
  readonly paths: Paths;
  readonly limits: Limits;
  /** Where uploads in progress are written down. */
  readonly directory: string;
  readonly targets: SerialByKey;
}

/** The uploads that are under way or were finished lately, by their ids. */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #records: UploadRecords;
  readonly #uploads = new Map<string, Upload>();
  /** Those of them that are finished, the first one first. */
  readonly #finished = new Set<string>();
  readonly #byId = new SerialByKey();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#records = new UploadRecords(options.directory);
    const everyMs = Math.min(60_000, Math.max(1_000, options.limits.uploadRetentionMs / 4));
    this.#sweeper = setInterval(() => void this.sweep().catch(() => {}), everyMs).unref();
  }

  /** Begins a file's upload, or finds the one with this id and header. */
  openFile(header: FileUploadHeader): Promise<Upload> {
    const uploadId = header.uploadId === "" ? randomUUID() : header.uploadId;
    return this.#open({ ...header, uploadId }, () => this.#beginFile({ ...header, uploadId }));
  }

  /** Begins a tree's upload, or finds the one with this id and header. */
  openTree(header: TreeUploadHeader): Promise<Upload> {
    const uploadId = header.uploadId === "" ? randomUUID() : header.uploadId;
    return this.#open({ ...header, uploadId }, async () => {
      const { paths } = this.#options;
      const receiver = await TreeReceiver.begin(paths, header.path);
      return new Upload(receiver, this.#uploadOptions({ ...header, uploadId }));
    });
  }

  async find(uploadId: string): Promise<Upload> {
    const upload = await this.#byId.run(uploadId, () => this.#lookUp(uploadId));
    if (upload !== undefined) return upload;
    throw new NotFound("UPLOAD_NOT_FOUND", `No upload has the id "${uploadId}"`, {
      subject: uploadId,
      remedy: "Begin again with a header.",
    });
  }

  async abort(uploadId: string): Promise<boolean> {
    const upload = await this.#byId.run(uploadId, () => this.#lookUp(uploadId));
    return upload === undefined ? false : upload.abort();
  }

  /** Whether an upload may still go on, also one that an earlier server wrote down. */
  async areUnderway(): Promise<boolean> {
    return this.#uploads.size > this.#finished.size || !(await this.#records.areNone());
  }

  /** Gives up what waited too long, also what an earlier server left, and forgets what was finished long ago. */
  async sweep(now = Date.now()): Promise<void> {
    for (const [id, upload] of this.#uploads) {
      const keepMs = upload.isFinished
        ? this.#options.limits.requestRetentionMs
        : this.#options.limits.uploadRetentionMs;
      if (upload.expiresAt - this.#options.limits.uploadRetentionMs + keepMs > now) continue;
      await upload.abort();
      this.#forget(id);
    }
    const since = now - this.#options.limits.uploadRetentionMs;
    for (const record of await this.#records.olderThan(since)) {
      if (this.#uploads.has(record.header.uploadId) || (await this.#tookBytes(record, since))) continue;
      await this.#discard(record);
    }
  }

  /** Lets go of what is open; the uploads go on with the next server. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([...this.#uploads.values()].map((upload) => upload.pause(upload.takeOver())));
    this.#uploads.clear();
  }

  #open(header: FileUploadHeader | TreeUploadHeader, begin: () => Promise<Upload>): Promise<Upload> {
    const { uploadId } = header;
    return this.#byId.run(uploadId, async () => {
      const known = await this.#lookUp(uploadId);
      if (known !== undefined && known.fingerprint === fingerprintOf(header)) return known;
      if (known !== undefined) {
        throw new AlreadyExists("UPLOAD_ID_CONFLICT", `Upload id "${uploadId}" belongs to a different upload`, {
          subject: uploadId,
          remedy: "Use a new id for a new upload.",
        });
      }
      this.#checkLimit();
      this.#forgetFinished();
      const upload = await begin();
      this.#uploads.set(uploadId, upload);
      return upload;
    });
  }

  async #beginFile(header: FileUploadHeader): Promise<Upload> {
    let receiver: FileReceiver | undefined;
    try {
      const begun = await FileReceiver.begin(this.#receiverOptions(header), (target, partName) =>
        this.#records.write({ header, target, partName, inode: noInode }),
      );
      ({ receiver } = begun);
      await this.#records.write({ header, target: receiver.path, partName: receiver.partName, inode: begun.inode });
    } catch (error) {
      await receiver?.discard();
      await this.#records.remove(header.uploadId);
      throw error;
    }
    return new Upload(receiver, this.#uploadOptions(header));
  }

  /** The upload with this id, if need be from what an earlier server wrote down. */
  async #lookUp(uploadId: string): Promise<Upload | undefined> {
    const known = this.#uploads.get(uploadId);
    if (known !== undefined && (known.isOpen || known.isFinished)) return known;
    const record = known === undefined ? await this.#records.read(uploadId) : undefined;
    if (record === undefined) return undefined;
    const upload = await this.#restore(record);
    // The server may have been killed when it had made the part's directory, and no more.
    if (upload === undefined) await this.#discard(record);
    else this.#uploads.set(uploadId, upload);
    return upload;
  }

  async #restore({ header, target, partName, inode }: UploadRecord): Promise<Upload | undefined> {
    const options = this.#receiverOptions(header);
    const resumed = await FileReceiver.resume(options, target, partName);
    if (resumed !== undefined) {
      const { receiver, committedBytes, crc32 } = resumed;
      return new Upload(receiver, { ...this.#uploadOptions(header), committedBytes, crc32 });
    }
    const locate = <T>(act: (place: Place) => Promise<T>) =>
      this.#options.paths.locate(target, { follow: "no" }, act).catch(() => undefined);
    const file = await locate((place) => findInfo(place.at, place.path));
    if (file?.stats.ino !== inode) return undefined;
    // Or when the part was in its place, and its directory still there.
    await locate((place) => removePart(place, partName));
    const receiver = FileReceiver.finished(options, target, partName, file);
    const committedBytes = Number(file.stats.size);
    return new Upload(receiver, { ...this.#uploadOptions(header), committedBytes, isFinished: true });
  }

  /** Whether an earlier server's upload took bytes since then, however long before it began. */
  async #tookBytes({ target, partName }: UploadRecord, since: number): Promise<boolean> {
    const locating = this.#options.paths.locate(target, { follow: "no" }, (place) => partTime(place, partName));
    return (await locating.catch(() => 0)) > since;
  }

  async #discard(record: UploadRecord): Promise<void> {
    const { target, partName, header } = record;
    await this.#options.paths.locate(target, { follow: "no" }, (place) => removePart(place, partName)).catch(() => {});
    await this.#records.remove(header.uploadId);
  }

  #checkLimit(): void {
    const { maxOpenUploads } = this.#options.limits;
    if (this.#uploads.size - this.#finished.size < maxOpenUploads) return;
    throw new LimitExceeded("LIMIT_EXCEEDED", `${maxOpenUploads} uploads are under way already`, {
      limit: { name: "max_open_uploads", value: maxOpenUploads },
      remedy: "Finish or abort some.",
    });
  }

  #receiverOptions(header: FileUploadHeader): FileReceiverOptions {
    return { header, paths: this.#options.paths, targets: this.#options.targets };
  }

  #uploadOptions(header: FileUploadHeader | TreeUploadHeader): ConstructorParameters<typeof Upload>[1] {
    const { uploadId, sizeBytes } = header;
    const isOfFile = "sha256" in header;
    return {
      uploadId,
      sizeBytes,
      computes: { crc32: !isOfFile || header.skipCrc32 !== true, sha256: isOfFile && header.sha256 },
      fingerprint: fingerprintOf(header),
      retentionMs: this.#options.limits.uploadRetentionMs,
      onClosed: () => this.#onClosed(uploadId),
    };
  }

  /** A dropped one is forgotten at once; a finished one is kept for whoever did not hear of it. */
  #onClosed(uploadId: string): void {
    if (this.#uploads.get(uploadId)?.isFinished === true) this.#finished.add(uploadId);
    else this.#forget(uploadId);
  }

  #forgetFinished(): void {
    for (const uploadId of this.#finished) {
      if (this.#finished.size < this.#options.limits.maxRememberedRequests) return;
      this.#forget(uploadId);
    }
  }

  #forget(uploadId: string): void {
    this.#uploads.delete(uploadId);
    this.#finished.delete(uploadId);
    void this.#records.remove(uploadId).catch(() => {});
  }
}

/** Of a part that is only about to be made. */
const noInode = 0n;

function fingerprintOf(header: FileUploadHeader | TreeUploadHeader): string {
  const entries = Object.entries({ ...header, path: header.path.toString("base64") });
  return JSON.stringify(entries.filter(([, value]) => value !== undefined).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
