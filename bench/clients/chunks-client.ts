// Uploads bytes of memory in chunks of any size through the generated client over the wire of the TypeScript client:
// `put BYTES CHUNK REMOTE`. What the client proper chooses by itself is left to the caller here.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { Http2SessionManager } from "@connectrpc/connect-node";
import { FileService } from "@yonder/proto";
import type { UploadRequestSchema } from "@yonder/proto";
import { createWireTransport } from "@yonder/wire";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

const { host, apiKey } = JSON.parse(process.argv[2] ?? "{}") as { host: string; apiKey: string };
const http = { sessions: new Http2SessionManager(host) };
const transport = createWireTransport({ baseUrl: host, protocol: "grpc", http, readMaxBytes: 4 << 20 });
const client = createClient(FileService, transport);
const headers = { authorization: `Bearer ${apiKey}` };

serveJobs(async (program) => {
  const [, bytes, chunk, path = ""] = argvOf(program);
  const { upload } = await client.upload(parts(path, Number(bytes), Buffer.alloc(Number(chunk), 7)), { headers });
  return Number(upload?.committedBytes);
});

async function* parts(
  path: string,
  bytes: number,
  chunk: Buffer,
): AsyncGenerator<MessageInitShape<typeof UploadRequestSchema>> {
  yield { part: { case: "header", value: { path, skipCrc32: true } } };
  for (let offset = 0; offset < bytes; offset += chunk.length) {
    const data = chunk.subarray(0, bytes - offset);
    yield { part: { case: "chunk", value: { offset: BigInt(offset), data } } };
  }
  yield { part: { case: "finish", value: {} } };
}
