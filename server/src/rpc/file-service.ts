import type { ServiceImpl } from "@connectrpc/connect";
import type { FileChunk, FileService, TreeUploadHeader, UploadFinish, UploadHeader } from "@yonder/proto";
import { inBatches } from "@yonder/wire";
import type { Files } from "../files/files.ts";
import type { Chunk, Upload } from "../files/upload.ts";
import { execIdField, expectedInstanceField, invalidField, missingField, sizeField, tokenField } from "./fields.ts";
import {
  chunkMessage,
  downloadMessage,
  fileMessage,
  packMessage,
  searchMessage,
  uploadMessage,
  watchMessage,
} from "./file-messages.ts";
import {
  chunkField,
  digestsField,
  downloadQuery,
  fileHeader,
  listQuery,
  modeField,
  neededPath,
  optionalPath,
  patternsField,
  searchQuery,
  treeHeader,
} from "./file-requests.ts";
import { chunksAtOnce } from "./held-requests.ts";
import type { Identity } from "./identity.ts";
import { toTreeReport } from "./tree-report.ts";

const MAX_ONLY = 100_000;

/** A part of an upload by stream, of a file or of a tree. */
interface UploadPart<Header> {
  part:
    | { case: "header"; value: Header }
    | { case: "chunk"; value: FileChunk }
    | { case: "finish"; value: UploadFinish }
    | { case: undefined; value?: undefined };
}

/** FileService over the files of the workspace: reads requests, writes replies, decides nothing. */
export function createFileService(files: Files, identity: Identity): ServiceImpl<typeof FileService> {
  const { uploads } = files;
  const mustBeMeant = ({ expectedInstanceId }: { expectedInstanceId: string }): void =>
    expectedInstanceField(expectedInstanceId, identity);
  const requestIdOf = ({ requestId }: { requestId: string }): string => tokenField("request_id", requestId);

  function openFile(header: UploadHeader): Promise<Upload> {
    mustBeMeant(header);
    return uploads.openFile(fileHeader(header));
  }

  function openTree(header: TreeUploadHeader): Promise<Upload> {
    mustBeMeant(header);
    return uploads.openTree(treeHeader(header));
  }

  return {
    upload: async (requests) => ({ upload: await receive(requests, openFile) }),

    uploadTree: async (requests) => ({ upload: await receive(requests, openTree) }),

    async writeChunk(request) {
      mustBeMeant(request);
      const { header, chunk, finish } = request;
      const headerId = header.case === undefined ? "" : header.value.uploadId;
      if (request.uploadId !== "" && headerId !== "" && request.uploadId !== headerId) {
        throw invalidField("upload_id", "is another one than the header's");
      }
      const uploadId = request.uploadId || headerId;
      if (header.case !== undefined) header.value.uploadId = uploadId;
      const upload =
        header.case === "file"
          ? await openFile(header.value)
          : header.case === "tree"
            ? await openTree(header.value)
            : await uploads.find(execIdField("upload_id", uploadId));
      if (chunk !== undefined) await upload.write([chunkField(chunk)]);
      if (finish !== undefined) await upload.finish(digestsField(finish));
      return { upload: uploadMessage(await upload.status()) };
    },

    async getUpload({ uploadId }) {
      const upload = await uploads.find(execIdField("upload_id", uploadId));
      return { upload: uploadMessage(await upload.status()) };
    },

    abortUpload: async ({ uploadId }) => ({ aborted: await uploads.abort(execIdField("upload_id", uploadId)) }),

    async *download(request) {
      for await (const event of files.download(downloadQuery(request))) yield downloadMessage(event);
    },

    async readFile(request) {
      const result = await files.readFile({
        path: neededPath("path", request.path, request.rawPath),
        offset: sizeField("offset", request.offset, { min: 0, max: Number.MAX_SAFE_INTEGER }),
        maxBytes: sizeField("max_bytes", request.maxBytes, { min: 0, max: 0x7fffffff }),
        ifMatch: tokenField("if_match", request.ifMatch),
      });
      const { file, truncated, changed } = result;
      return { file: fileMessage(file), chunk: chunkMessage(result), truncated, changed };
    },

    async *downloadTree(request) {
      if (request.only.length > MAX_ONLY)
        throw invalidField("only", `has ${request.only.length}; ${MAX_ONLY} are taken`);
      const query = {
        path: optionalPath("path", request.path, request.rawPath),
        exclude: patternsField("exclude", request.exclude),
        gitignore: request.gitignore,
        only: request.only.map(({ path, rawPath }) => neededPath("only", path, rawPath)),
      };
      for await (const event of files.packTree(query)) yield packMessage(event);
    },

    async stat(request) {
      const path = optionalPath("path", request.path, request.rawPath);
      return { file: fileMessage(await files.stat({ path, follow: !request.noFollow, sha256: request.sha256 })) };
    },

    async list(request) {
      const page = await files.list(listQuery(request));
      return { files: page.files.map(fileMessage), nextPageToken: page.nextPageToken };
    },

    async makeDirectory(request) {
      mustBeMeant(request);
      const { parents } = request;
      const path = neededPath("path", request.path, request.rawPath);
      const query = { path, mode: modeField(request.mode), parents };
      const { file, created } = await files.makeDirectory(requestIdOf(request), query);
      return { file: fileMessage(file), created };
    },

    async move(request) {
      mustBeMeant(request);
      const { createParents, ifAbsent } = request;
      const query = { ...twoPaths(request), createParents, ifAbsent, ifMatch: tokenField("if_match", request.ifMatch) };
      return { file: fileMessage(await files.move(requestIdOf(request), query)) };
    },

    async copy(request) {
      mustBeMeant(request);
      const { recursive, createParents, ifAbsent } = request;
      const ifMatch = tokenField("if_match", request.ifMatch);
      const query = { ...twoPaths(request), recursive, createParents, ifAbsent, ifMatch };
      const { file, report } = await files.copy(requestIdOf(request), query);
      return { file: fileMessage(file), report: toTreeReport(report) };
    },

    async remove(request) {
      mustBeMeant(request);
      const { recursive, missingOk } = request;
      const path = neededPath("path", request.path, request.rawPath);
      const query = { path, recursive, missingOk, ifMatch: tokenField("if_match", request.ifMatch) };
      return { removed: await files.remove(requestIdOf(request), query) };
    },

    async *watch(request, { signal }) {
      const query = {
        path: optionalPath("path", request.path, request.rawPath),
        recursive: request.recursive,
        exclude: patternsField("exclude", request.exclude),
        gitignore: request.gitignore,
        resumeToken: tokenField("resume_token", request.resumeToken),
      };
      for await (const event of files.watch(query, signal)) yield watchMessage(event);
    },

    async *search(request, { signal }) {
      for await (const event of files.search(searchQuery(request), signal)) yield searchMessage(event);
    },
  };
}

/** Feeds an upload from a stream, in the order header, chunks, finish. */
async function receive<Header>(
  requests: AsyncIterable<UploadPart<Header>>,
  open: (header: Header) => Promise<Upload>,
): Promise<ReturnType<typeof uploadMessage>> {
  let upload: Upload | undefined;
  let holder = 0;
  try {
    for await (const batch of inBatches(requests, chunksAtOnce)) {
      const chunks: Chunk[] = [];
      for (const { part } of batch) {
        if (part.case === "chunk" && upload !== undefined) {
          chunks.push(chunkField(part.value));
          continue;
        }
        await upload?.write(chunks.splice(0), holder);
        if (part.case === undefined) throw missingField("part");
        if ((part.case === "header") !== (upload === undefined)) throw headerFirst();
        if (part.case === "header") {
          upload = await open(part.value);
          holder = upload.takeOver();
        } else if (part.case === "finish") {
          await upload?.finish(digestsField(part.value), holder);
          return uploadMessage(await finished(upload).status());
        }
      }
      await upload?.write(chunks, holder);
    }
    throw missingField("finish", "never came: the stream ended without it");
  } finally {
    await upload?.pause(holder);
  }
}

function twoPaths(request: {
  sourcePath: string;
  rawSourcePath: Uint8Array;
  destinationPath: string;
  rawDestinationPath: Uint8Array;
}): { source: Buffer; destination: Buffer } {
  return {
    source: neededPath("source_path", request.sourcePath, request.rawSourcePath),
    destination: neededPath("destination_path", request.destinationPath, request.rawDestinationPath),
  };
}

function finished(upload: Upload | undefined): Upload {
  if (upload === undefined) throw headerFirst();
  return upload;
}

function headerFirst(): Error {
  return invalidField("part", "must be the header in the first message, and in no other");
}
