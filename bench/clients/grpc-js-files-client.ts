// Moves files through @grpc/grpc-js and the protos alone, as a program does that has none of our code: `put LOCAL REMOTE`,
// `get REMOTE LOCAL`, which goes nowhere if LOCAL is empty, and `put-bytes BYTES CHUNK REMOTE`, which are of memory. It leaves
// digests to those who want them.
import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { credentials, loadPackageDefinition, Metadata } from "@grpc/grpc-js";
import type { ClientReadableStream, ClientWritableStream, ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

/** What is used of the contract. */
interface FileClient {
  upload(metadata: Metadata, done: (error: Error | null) => void): ClientWritableStream<object>;
  download(request: object, metadata: Metadata): ClientReadableStream<{ readonly chunk?: { readonly data: Buffer } }>;
}

const { host, apiKey } = JSON.parse(process.argv[2] ?? "{}") as { host: string; apiKey: string };
const protos = fileURLToPath(new URL("../../proto", import.meta.url));
const definition = loadSync("yonder/workspace/v1/file_service.proto", { includeDirs: [protos] });
const contract = loadPackageDefinition(definition) as unknown as {
  yonder: { workspace: { v1: { FileService: ServiceClientConstructor } } };
};
const client = new contract.yonder.workspace.v1.FileService(new URL(host).host, credentials.createInsecure(), {
  // As wide as everybody else's here; HTTP/2's own is 64 KiB.
  "grpc-node.flow_control_window": 8 << 20,
}) as unknown as FileClient;
const metadata = new Metadata();
metadata.set("authorization", `Bearer ${apiKey}`);
const chunkBytes = 512 * 1024;

serveJobs(async (program) => {
  const [verb, source = "", destination = "", path = ""] = argvOf(program);
  if (verb === "put-bytes") return await put(bytesOf(Number(source), Number(destination)), path);
  return verb === "put" ? await put(bytesIn(source), destination) : await get(source, destination);
});

async function put(pieces: AsyncIterable<Buffer>, path: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const call = client.upload(metadata, (error) => (error === null ? resolve() : reject(error)));
  const write = (part: object): unknown =>
    call.write(part) || new Promise((drained) => call.once("drain", () => drained(undefined)));
  await write({ header: { path, skipCrc32: true } });
  let offset = 0;
  for await (const data of pieces) {
    await write({ chunk: { offset, data } });
    offset += data.length;
  }
  await write({ finish: {} });
  call.end();
  await promise;
  return offset;
}

async function* bytesIn(path: string): AsyncGenerator<Buffer> {
  await using file = await open(path);
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* bytesOf(bytes: number, chunk: number): AsyncGenerator<Buffer> {
  const piece = Buffer.alloc(chunk, 7);
  for (let left = bytes; left > 0; left -= chunk) yield piece.subarray(0, left);
}

async function get(path: string, destination: string): Promise<number> {
  const file = destination === "" ? undefined : createWriteStream(destination, { flush: true });
  let bytes = 0;
  const unpack = new Writable({
    objectMode: true,
    write: ({ chunk }: { readonly chunk?: { readonly data: Buffer } }, _, next) => {
      bytes += chunk?.data.length ?? 0;
      if (chunk === undefined || file === undefined || file.write(chunk.data)) next();
      else file.once("drain", next);
    },
    final: (done) => (file === undefined ? done() : void file.end(done)),
  });
  await pipeline(client.download({ path, skipCrc32: true }, metadata), unpack);
  return bytes;
}
