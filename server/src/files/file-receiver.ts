import { createHash, randomBytes } from "node:crypto";
import type { Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { open, statfs } from "node:fs/promises";
import { crc32 } from "@yonder/transfer";
import { FailedPrecondition, LimitExceeded } from "../util/errors.ts";
import { systemCode } from "./errno.ts";
import { checkEtag, checkRegular, findInfo, readInfo } from "./file-info.ts";
import type { FileInfo } from "./file-info.ts";
import { setModifyTime } from "./modify-time.ts";
import { createPart, partPrefix, placePart, removePart, reopenPart } from "./part-file.ts";
import { pathText } from "./path-bytes.ts";
import type { PathBytes } from "./path-bytes.ts";
import type { Paths, Place } from "./place.ts";
import type { SerialByKey } from "./serial.ts";
import { digestMismatch } from "./upload.ts";
import type { Digests, Receiver } from "./upload.ts";
import { writeAll } from "./write-all.ts";
import { systemError } from "./system-error.ts";

/** What a file's upload is; the contract's UploadHeader. */
export interface FileUploadHeader {
  readonly uploadId: string;
  readonly path: PathBytes;
  readonly sizeBytes: number | undefined;
  readonly mode: number | undefined;
  /** Seconds since 1970, to the microsecond. */
  readonly modifyTime: number | undefined;
  readonly createParents: boolean;
  readonly ifMatch: string;
  readonly ifAbsent: boolean;
  readonly sha256: boolean;
  /** Undefined rather than false: records of earlier servers have no such field. */
  readonly skipCrc32: true | undefined;
}

export interface FileReceiverOptions {
  readonly header: FileUploadHeader;
  readonly paths: Paths;
  /** One act at a time on each target, so that a condition holds until the rename. */
  readonly targets: SerialByKey;
}

/** Writes a file's bytes into a part beside the target, and puts it in the target's place at the end. */
export class FileReceiver implements Receiver {
  readonly #header: FileUploadHeader;
  readonly #paths: Paths;
  readonly #targets: SerialByKey;
  /** Where it goes, with links followed. */
  #target: PathBytes;
  readonly partName: PathBytes;
  #handle: FileHandle | undefined;
  #position = 0;
  #hash: Hash | undefined;
  #file: FileInfo | undefined;
  #sha256: Buffer | undefined;

  private constructor(options: FileReceiverOptions, target: PathBytes, partName: PathBytes) {
    this.#header = options.header;
    this.#paths = options.paths;
    this.#targets = options.targets;
    this.#target = target;
    this.partName = partName;
    if (options.header.sha256) this.#hash = createHash("sha256");
  }

  /**
   * Begins anew: checks what can be checked now, and makes the part.
   *
   * @param announce is told of the part before it is made, so that it is found whatever happens then
   */
  static async begin(
    options: FileReceiverOptions,
    announce: (target: PathBytes, partName: PathBytes) => Promise<void>,
  ): Promise<{ receiver: FileReceiver; inode: bigint }> {
    const { header, paths } = options;
    if (header.path.at(-1) === SLASH) throw namesDirectory(header.path);
    const follow = { follow: "target", createParents: header.createParents } as const;
    return paths.locate(header.path, follow, async (place) => {
      await checkTarget(place, header);
      await checkRoom(place, header.sizeBytes);
      const name = Buffer.from(partPrefix + randomBytes(12).toString("hex"));
      await announce(place.path, name);
      const handle = await createPart(place, name);
      const receiver = new FileReceiver(options, place.path, name);
      receiver.#handle = handle;
      const { ino } = await handle.stat({ bigint: true });
      return { receiver, inode: ino };
    });
  }

  /** Goes on with the part that an earlier server left; undefined where it is gone. */
  static async resume(
    options: FileReceiverOptions,
    target: PathBytes,
    partName: PathBytes,
  ): Promise<{ receiver: FileReceiver; committedBytes: number; crc32: number | undefined } | undefined> {
    const receiver = new FileReceiver(options, target, partName);
    try {
      const handle = await receiver.#open();
      const digest = await receiver.#digest(handle);
      return { receiver, committedBytes: receiver.#position, crc32: digest };
    } catch (error) {
      await receiver.pause();
      if (error instanceof Error && isGone(error)) return undefined;
      throw error;
    }
  }

  /** The upload that an earlier server finished. */
  static finished(options: FileReceiverOptions, target: PathBytes, partName: PathBytes, file: FileInfo): FileReceiver {
    const receiver = new FileReceiver(options, target, partName);
    receiver.#file = file;
    return receiver;
  }

  get path(): PathBytes {
    return this.#target;
  }

  get file(): FileInfo | undefined {
    return this.#file;
  }

  get tree(): undefined {
    return undefined;
  }

  get sha256(): Buffer | undefined {
    return this.#sha256;
  }

  async take(pieces: readonly Uint8Array[]): Promise<void> {
    await this.#atTarget(async () => {
      await writeAll(this.#handle ?? (await this.#open()), pieces, this.#position);
    });
    for (const piece of pieces) {
      this.#position += piece.length;
      this.#hash?.update(piece);
    }
  }

  async complete(digests: Digests): Promise<void> {
    if (this.#hash !== undefined) {
      this.#sha256 = this.#hash.digest();
      this.#hash = undefined;
      if (digests.sha256 !== undefined && !this.#sha256.equals(digests.sha256)) throw digestMismatch("sha256");
    }
    await this.#atTarget(async (place) => {
      const handle = this.#handle ?? (await this.#open());
      const key = this.#target.toString("latin1");
      await this.#targets.run(key, async () => {
        const present = await checkTarget(place, this.#header);
        await this.#dress(handle, present);
        await handle.sync();
        await this.pause();
        await placePart(place, this.partName, this.#header.ifAbsent);
      });
      await syncDirectory(place.directory);
      this.#file = await readInfo(place.at, place.path, false);
    });
  }

  async pause(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async discard(): Promise<void> {
    await this.pause();
    await this.#atTarget((place) => removePart(place, this.partName)).catch((error: unknown) => {
      if (!(error instanceof Error && isGone(error))) throw error;
    });
  }

  #atTarget<T>(act: (place: Place) => Promise<T>): Promise<T> {
    return this.#paths.locate(this.#target, { follow: "no" }, act);
  }

  async #open(): Promise<FileHandle> {
    this.#handle = await this.#atTarget((place) => reopenPart(place, this.partName));
    return this.#handle;
  }

  /** Reads what is there already, since nothing else remembers its digest. */
  async #digest(handle: FileHandle): Promise<number | undefined> {
    let digest = this.#header.skipCrc32 === true ? undefined : 0;
    if (digest === undefined && this.#hash === undefined) {
      this.#position = (await handle.stat()).size;
      return undefined;
    }
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#position);
      if (bytesRead === 0) return digest;
      const data = buffer.subarray(0, bytesRead);
      if (digest !== undefined) digest = crc32(data, digest);
      this.#hash?.update(data);
      this.#position += bytesRead;
    }
  }

  /** Gives the part the owner, mode and time that the file is to have. */
  async #dress(handle: FileHandle, present: FileInfo | undefined): Promise<void> {
    const own = await handle.stat();
    const mode = this.#header.mode ?? (present === undefined ? undefined : Number(present.stats.mode & 0o7777n));
    if (present !== undefined) {
      const [uid, gid] = [Number(present.stats.uid), Number(present.stats.gid)];
      // Whoever owned the file goes on owning it, where the server may say so. It clears set-user-id: the mode comes after.
      if (uid !== own.uid || gid !== own.gid) await handle.chown(uid, gid).catch(() => {});
    }
    if (mode !== undefined) await handle.chmod(mode);
    const { modifyTime } = this.#header;
    if (modifyTime !== undefined) await setModifyTime(handle, modifyTime);
  }
}

function namesDirectory(path: PathBytes): FailedPrecondition {
  const subject = pathText(path);
  return new FailedPrecondition("IS_A_DIRECTORY", `The path ends with "/" and so names a directory: ${subject}`, {
    subject,
    systemCode: "EISDIR",
    remedy: "Name the file in it.",
  });
}

/** Checks what is at the target, and returns the file that is there. */
async function checkTarget(place: Place, header: FileUploadHeader): Promise<FileInfo | undefined> {
  const present = await findInfo(place.at, place.path);
  if (present !== undefined && header.ifAbsent) throw systemError("EEXIST");
  // A link here was put in the target's place since; it is replaced, and its mode means nothing.
  const file = present?.kind === "SYMLINK" ? undefined : present;
  if (file !== undefined) checkRegular(place.path, file.kind);
  checkEtag(place.path, header.ifMatch, present);
  return file;
}

/** Says at once what would fail after gigabytes. */
async function checkRoom(place: Place, sizeBytes: number | undefined): Promise<void> {
  if (sizeBytes === undefined || sizeBytes === 0) return;
  const { bavail, bsize, blocks } = await statfs(place.directory);
  // Some file systems do not know their size.
  if (blocks === 0 || bavail * bsize >= sizeBytes) return;
  const subject = pathText(place.path);
  const message = `No space is left: ${subject} needs ${sizeBytes} bytes and ${bavail * bsize} are free`;
  throw new LimitExceeded("STORAGE_FULL", message, { subject, systemCode: "ENOSPC" });
}

/** Makes a rename last. Where directories cannot be synced it lasts as long as the file system says. */
async function syncDirectory(at: PathBytes): Promise<void> {
  const handle = await open(at, "r");
  try {
    await handle.sync();
  } catch (error) {
    const code = systemCode(error);
    if (code !== "EINVAL" && code !== "ENOTSUP") throw error;
  } finally {
    await handle.close();
  }
}

function isGone(error: Error): boolean {
  return "reason" in error && (error.reason === "FILE_NOT_FOUND" || error.reason === "NOT_A_DIRECTORY");
}

const SLASH = 0x2f;
