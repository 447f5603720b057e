import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type DownloadRequest,
  type FileChunk,
  FileKind as ContractKind,
  type ListRequest,
  type SearchRequest,
  type TreeUploadHeader as TreeHeaderMessage,
  type UploadFinish,
  type UploadHeader,
} from "@yonder/proto";
import type { DownloadQuery } from "../files/download.ts";
import { fileKinds } from "../files/file-info.ts";
import type { FileKind } from "../files/file-info.ts";
import type { FileUploadHeader } from "../files/file-receiver.ts";
import type { ListQuery } from "../files/list.ts";
import type { SearchQuery } from "../files/search/search.ts";
import type { TreeUploadHeader } from "../files/tree-receiver.ts";
import type { Chunk, Digests } from "../files/upload.ts";
import { execIdField, invalidField, missingField, pathField, sizeField, textField, tokenField } from "./fields.ts";

const MAX_MODE = 0o7777;
const MAX_PATTERNS = 1_000;

export function fileHeader(header: UploadHeader): FileUploadHeader {
  if (header.ifMatch !== "" && header.ifAbsent) throw invalidField("if_match", "and if_absent cannot both be set");
  return {
    uploadId: uploadIdField(header.uploadId),
    path: neededPath("path", header.path, header.rawPath),
    sizeBytes: optionalSize("size_bytes", header.sizeBytes),
    mode: modeField(header.mode),
    modifyTime: timeField("modify_time", header.modifyTime),
    createParents: header.createParents,
    ifMatch: tokenField("if_match", header.ifMatch),
    ifAbsent: header.ifAbsent,
    sha256: header.sha256,
    skipCrc32: header.skipCrc32 || undefined,
  };
}

export function treeHeader(header: TreeHeaderMessage): TreeUploadHeader {
  return {
    uploadId: uploadIdField(header.uploadId),
    path: optionalPath("path", header.path, header.rawPath),
    sizeBytes: optionalSize("size_bytes", header.sizeBytes),
  };
}

export function chunkField(chunk: FileChunk): Chunk {
  return { offset: offsetField("offset", chunk.offset), data: chunk.data, crc32: chunk.crc32 };
}

export function digestsField(finish: UploadFinish): Digests {
  const { sha256 } = finish;
  if (sha256.length > 0 && sha256.length !== 32) throw invalidField("sha256", `has ${sha256.length} bytes and not 32`);
  return { crc32: finish.crc32, sha256: sha256.length === 0 ? undefined : sha256 };
}

export function downloadQuery(request: DownloadRequest): DownloadQuery {
  const offset = offsetField("offset", request.offset);
  if (request.sha256Offset !== undefined && !request.sha256) throw invalidField("sha256_offset", "needs sha256");
  return {
    path: neededPath("path", request.path, request.rawPath),
    offset,
    length: optionalSize("length", request.length),
    ifMatch: tokenField("if_match", request.ifMatch),
    sha256From: request.sha256 ? sha256OffsetField(request.sha256Offset, offset) : undefined,
    skipCrc32: request.skipCrc32,
  };
}

export function listQuery(request: ListRequest): ListQuery {
  return {
    path: optionalPath("path", request.path, request.rawPath),
    depth: sizeField("depth", request.depth, { min: -1, max: 0x7fffffff }),
    includeHidden: request.includeHidden,
    gitignore: request.gitignore,
    exclude: patternsField("exclude", request.exclude),
    kind: kindField(request.kind),
    sha256: request.sha256,
    pageSize: sizeField("page_size", request.pageSize, { min: 0, max: 0x7fffffff }),
    pageToken: request.pageToken,
  };
}

export function searchQuery(request: SearchRequest): SearchQuery {
  const { content } = request;
  if (content.case !== undefined && content.value === "") throw missingField(content.case, "must not be empty");
  if (content.case !== undefined) {
    textField(content.case, content.value);
    if (content.value.includes("\n")) throw invalidField(content.case, "holds a line break; lines are searched");
  }
  return {
    path: optionalPath("path", request.path, request.rawPath),
    globs: patternsField("globs", request.globs),
    content:
      content.case === "literal"
        ? { literal: content.value }
        : content.case === "regex"
          ? { regex: content.value }
          : undefined,
    ignoreCase: request.ignoreCase,
    includeHidden: request.includeHidden,
    includeIgnored: request.includeIgnored,
    maxMatches: sizeField("max_matches", request.maxMatches, { min: 0, max: 0x7fffffff }),
    maxMatchesPerFile: sizeField("max_matches_per_file", request.maxMatchesPerFile, { min: 0, max: 0x7fffffff }),
  };
}

export function neededPath(field: string, text: string, bytes: Uint8Array): Buffer {
  const path = pathField(field, text, bytes);
  if (path === undefined) throw missingField(field);
  return path;
}

/** A path that means the workspace's directory where it is empty. */
export function optionalPath(field: string, text: string, bytes: Uint8Array): Buffer {
  return pathField(field, text, bytes) ?? Buffer.from(".");
}

export function modeField(mode: number | undefined): number | undefined {
  if (mode !== undefined && mode > MAX_MODE) throw invalidField("mode", `is 0${mode.toString(8)}; 07777 is the most`);
  return mode;
}

export function patternsField(field: string, patterns: readonly string[]): readonly string[] {
  if (patterns.length > MAX_PATTERNS)
    throw invalidField(field, `has ${patterns.length} patterns; ${MAX_PATTERNS} are taken`);
  return patterns;
}

function uploadIdField(id: string): string {
  return id === "" ? "" : execIdField("upload_id", id);
}

function offsetField(field: string, value: bigint): number {
  return sizeField(field, value, { min: 0, max: Number.MAX_SAFE_INTEGER });
}

function sha256OffsetField(value: bigint | undefined, offset: number): number {
  return value === undefined ? offset : sizeField("sha256_offset", value, { min: 0, max: offset });
}

function optionalSize(field: string, value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : offsetField(field, value);
}

/** Seconds since 1970, to the microsecond: a double holds no more, and Node sets no more. */
function timeField(field: string, time: Timestamp | undefined): number | undefined {
  if (time === undefined) return undefined;
  if (time.nanos < 0 || time.nanos > 999_999_999) throw invalidField(field, `has ${time.nanos} nanoseconds`);
  return (Number(time.seconds) * 1e6 + Math.floor(time.nanos / 1000)) / 1e6;
}

function kindField(kind: ContractKind): FileKind | undefined {
  if (kind === ContractKind.UNSPECIFIED) return undefined;
  const found = fileKinds.find((name) => ContractKind[name] === kind);
  if (found === undefined) throw invalidField("kind", `is ${kind}, which this server does not know`);
  return found;
}
