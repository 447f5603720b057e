import { FileKind as WireKind, FileKindSchema } from "@yonder/proto";
import type { FileInfo } from "@yonder/proto";
import { enumName, timestampToDate } from "../connection/wire-values.ts";
import { fromWirePath } from "./wire-path.ts";

/** What a name stands for. "UNKNOWN" is something that this client does not know. */
export type FileKind = Exclude<keyof typeof WireKind, "UNSPECIFIED"> | "UNKNOWN";

/** What the file system of the workspace knows of a file, with the names of `fs.Stats`. */
export class FileStats {
  /** Absolute, as text, or as bytes where it is not UTF-8. */
  readonly path: string | Buffer;
  readonly kind: FileKind;
  readonly size: number;
  /** The permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly mtime: Date;
  /** Milliseconds since 1970, with their fraction. */
  readonly mtimeMs: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  readonly ctime: Date;
  readonly birthtime: Date | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly ino: bigint;
  readonly dev: bigint;
  readonly nlink: number;
  /** How many bytes it takes on disk. */
  readonly allocatedBytes: number;
  /** Names this state of the file: for `ifMatch`. */
  readonly etag: string;
  /** Where a symbolic link points. Undefined for everything else. */
  readonly linkTarget: string | Buffer | undefined;
  /** The content's SHA-256, where it was asked for. */
  readonly sha256: Buffer | undefined;

  constructor(info: FileInfo) {
    this.path = fromWirePath(info);
    this.kind = (enumName(FileKindSchema, info.kind) as FileKind | undefined) ?? "UNKNOWN";
    this.size = Number(info.sizeBytes);
    this.mode = info.mode;
    this.mtime = timestampToDate(info.modifyTime) ?? new Date(0);
    this.mtimeNs = info.modifyTime ? info.modifyTime.seconds * 1_000_000_000n + BigInt(info.modifyTime.nanos) : 0n;
    this.mtimeMs = Number(this.mtimeNs / 1000n) / 1000;
    this.ctime = timestampToDate(info.changeTime) ?? new Date(0);
    this.birthtime = timestampToDate(info.createTime);
    this.uid = info.ownerId;
    this.gid = info.groupId;
    this.ino = info.inode;
    this.dev = info.device;
    this.nlink = info.linkCount;
    this.allocatedBytes = Number(info.allocatedBytes);
    this.etag = info.etag;
    const isLink = info.kind === WireKind.SYMLINK;
    this.linkTarget = isLink ? fromWirePath({ path: info.linkTarget, rawPath: info.rawLinkTarget }) : undefined;
    this.sha256 = info.sha256.length === 0 ? undefined : Buffer.from(info.sha256);
  }

  isFile(): boolean {
    return this.kind === "REGULAR";
  }

  isDirectory(): boolean {
    return this.kind === "DIRECTORY";
  }

  isSymbolicLink(): boolean {
    return this.kind === "SYMLINK";
  }

  isFIFO(): boolean {
    return this.kind === "FIFO";
  }

  isSocket(): boolean {
    return this.kind === "SOCKET";
  }

  isCharacterDevice(): boolean {
    return this.kind === "CHARACTER_DEVICE";
  }

  isBlockDevice(): boolean {
    return this.kind === "BLOCK_DEVICE";
  }
}
