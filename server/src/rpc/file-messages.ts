import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type DownloadResponseSchema,
  type DownloadTreeResponseSchema,
  type FileChunkSchema,
  type FileInfoSchema,
  FileKind,
  FileUploadState,
  type FileUploadSchema,
  type SearchResponseSchema,
  WatchChangeKind,
  type WatchResponseSchema,
} from "@yonder/proto";
import type { DownloadEvent } from "../files/download.ts";
import type { FileInfo } from "../files/file-info.ts";
import type { PackEvent } from "../files/pack-tree.ts";
import type { SearchEvent } from "../files/search/search.ts";
import type { UploadStatus } from "../files/upload.ts";
import type { WatchEvent } from "../files/watch/watches.ts";
import { pathText } from "../util/path-text.ts";
import { toTreeReport } from "./tree-report.ts";

/** The domain's words for files as the contract's. */
export function fileMessage(info: FileInfo): MessageInitShape<typeof FileInfoSchema> {
  const { stats } = info;
  const message: MessageInitShape<typeof FileInfoSchema> = {
    ...pathFields(info.path),
    kind: FileKind[info.kind],
    sizeBytes: info.kind === "DIRECTORY" ? 0n : stats.size,
    mode: Number(stats.mode & 0o7777n),
    modifyTime: timestamp(stats.mtimeNs),
    changeTime: timestamp(stats.ctimeNs),
    ownerId: Number(stats.uid),
    groupId: Number(stats.gid),
    inode: BigInt.asUintN(64, stats.ino),
    linkCount: Number(stats.nlink),
    allocatedBytes: stats.blocks * 512n,
    etag: info.etag,
    device: BigInt.asUintN(64, stats.dev),
  };
  if (stats.birthtimeNs > 0n) message.createTime = timestamp(stats.birthtimeNs);
  if (info.sha256 !== undefined) message.sha256 = info.sha256;
  if (info.linkTarget !== undefined) {
    const target = pathText(info.linkTarget);
    message.linkTarget = target.text;
    message.rawLinkTarget = target.bytes;
  }
  return message;
}

export function uploadMessage(status: UploadStatus): MessageInitShape<typeof FileUploadSchema> {
  const message: MessageInitShape<typeof FileUploadSchema> = {
    uploadId: status.uploadId,
    ...pathFields(status.path),
    committedBytes: BigInt(status.committedBytes),
    crc32: status.crc32 ?? 0,
    state: status.isFinished ? FileUploadState.FINISHED : FileUploadState.OPEN,
    expireTime: timestampFromMs(status.expiresAt),
  };
  if (status.sizeBytes !== undefined) message.sizeBytes = BigInt(status.sizeBytes);
  if (status.file !== undefined) message.file = fileMessage(status.file);
  if (status.tree !== undefined) message.tree = toTreeReport(status.tree);
  if (status.sha256 !== undefined) message.sha256 = status.sha256;
  return message;
}

export function downloadMessage(event: DownloadEvent): MessageInitShape<typeof DownloadResponseSchema> {
  switch (event.type) {
    case "started": {
      const { file, offset, length } = event;
      const value = { file: fileMessage(file), offset: BigInt(offset), length: BigInt(length) };
      return { part: { case: "started", value } };
    }
    case "chunk":
      return { part: { case: "chunk", value: chunkMessage(event) } };
    case "finished": {
      const { sizeBytes, crc32 = 0, sha256, changed } = event;
      const value = { sizeBytes: BigInt(sizeBytes), crc32, changed, ...(sha256 && { sha256 }) };
      return { part: { case: "finished", value } };
    }
  }
}

export function packMessage(event: PackEvent): MessageInitShape<typeof DownloadTreeResponseSchema> {
  switch (event.type) {
    case "started":
      return { part: { case: "started", value: { root: fileMessage(event.root) } } };
    case "chunk":
      return { part: { case: "chunk", value: chunkMessage(event) } };
    case "finished": {
      const { report, sizeBytes, crc32, changed } = event;
      const value = { report: toTreeReport(report), sizeBytes: BigInt(sizeBytes), crc32, changed: BigInt(changed) };
      return { part: { case: "finished", value } };
    }
  }
}

export function watchMessage(event: WatchEvent): MessageInitShape<typeof WatchResponseSchema> {
  const { token } = event;
  switch (event.type) {
    case "started": {
      const value = { root: fileMessage(event.root), resumed: event.resumed };
      return { token, event: { case: "started", value } };
    }
    case "changes": {
      const changes = event.changes.map(({ kind, path, oldPath, fileKind }) => {
        const old = oldPath === undefined ? undefined : pathText(oldPath);
        return {
          kind: WatchChangeKind[kind],
          ...pathFields(path),
          fileKind: FileKind[fileKind],
          ...(old && { oldPath: old.text, rawOldPath: old.bytes }),
        };
      });
      return { token, event: { case: "changes", value: { changes } } };
    }
    case "resync":
      return { token, event: { case: "resync", value: { cause: event.cause } } };
    case "heartbeat":
      return { token, event: { case: "heartbeat", value: {} } };
  }
}

export function searchMessage(event: SearchEvent): MessageInitShape<typeof SearchResponseSchema> {
  if (event.type === "heartbeat") return { event: { case: "heartbeat", value: {} } };
  if (event.type === "finished") {
    const { truncated, matches, unreadableFiles } = event;
    const value = { truncated, matches: BigInt(matches), unreadableFiles: BigInt(unreadableFiles) };
    return { event: { case: "finished", value } };
  }
  const { path, kind, lineNumber = 0, line, lineTruncated = false, spans = [] } = event.match;
  const value = {
    ...pathFields(path),
    fileKind: FileKind[kind],
    lineNumber: BigInt(lineNumber),
    lineTruncated,
    spans: [...spans],
    ...(line && { line }),
  };
  return { event: { case: "found", value } };
}

export function chunkMessage({
  offset,
  data,
  crc32,
}: {
  offset: number;
  data: Uint8Array;
  crc32: number | undefined;
}): MessageInitShape<typeof FileChunkSchema> {
  return { offset: BigInt(offset), data, ...(crc32 !== undefined && { crc32 }) };
}

function pathFields(path: Buffer): { path: string; rawPath: Uint8Array } {
  const { text, bytes } = pathText(path);
  return { path: text, rawPath: bytes };
}

function timestamp(nanoseconds: bigint): Pick<Timestamp, "seconds" | "nanos"> {
  const nanos = ((nanoseconds % second) + second) % second;
  return { seconds: (nanoseconds - nanos) / second, nanos: Number(nanos) };
}

const second = 1_000_000_000n;
