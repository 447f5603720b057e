import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Metadata } from "@grpc/grpc-js";
import type { Client, ClientReadableStream, ClientWritableStream, ServiceError } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { reflectedClient } from "../../helpers/reflected-client.ts";
import { serve } from "../../helpers/serve.ts";
import type { ServedWorkspace } from "../../helpers/serve.ts";

type Method = (...args: unknown[]) => unknown;

async function filesClient(): Promise<{
  server: ServedWorkspace;
  call: (name: string, ...args: unknown[]) => unknown;
}> {
  const server = await serve();
  const service = "yonder.workspace.v1.FileService";
  const client: Client = await reflectedClient(`127.0.0.1:${server.port}`, service, new Metadata());
  onTestFinished(() => client.close());
  const methods = client as unknown as Record<string, Method>;
  return { server, call: (name, ...args) => methods[name]?.call(client, ...args) };
}

test("a grpc-js client built from reflection alone uploads a file by stream and downloads it", async () => {
  const { server, call } = await filesClient();
  const data = randomBytes(2_000_000);
  const uploaded = await new Promise<{ upload: { committed_bytes: string; state: string } }>((resolve, reject) => {
    const stream = call("Upload", (error: ServiceError | null, reply: never) =>
      error ? reject(error) : resolve(reply),
    );
    const requests = stream as ClientWritableStream<unknown>;
    requests.write({ header: { path: "f", size_bytes: String(data.length), mode: 0o600 } });
    for (let offset = 0; offset < data.length; offset += 300_000) {
      const piece = data.subarray(offset, offset + 300_000);
      requests.write({ chunk: { offset: String(offset), data: piece, crc32: crc32(piece) } });
    }
    requests.end({ finish: { crc32: crc32(data) } });
  });
  expect(uploaded.upload).toMatchObject({ committed_bytes: "2000000", state: "FILE_UPLOAD_STATE_FINISHED" });
  expect(readFileSync(join(server.workingDirectory, "f")).equals(data)).toBe(true);

  const pieces: Buffer[] = [];
  let finished: { crc32: number } | undefined;
  for await (const reply of call("Download", { path: "f" }) as ClientReadableStream<{
    chunk?: { data: Buffer };
    finished?: { crc32: number };
  }>) {
    if (reply.chunk) pieces.push(reply.chunk.data);
    if (reply.finished) finished = reply.finished;
  }
  expect(Buffer.concat(pieces).equals(data)).toBe(true);
  expect(finished?.crc32).toBe(crc32(data));
});

test("with its default limit of 4 MiB it lists a large directory and reads a large file by pages", async () => {
  const { server, call } = await filesClient();
  const name = (index: number): string => join(server.workingDirectory, `${"n".repeat(180)}${index}`);
  writeFileSync(name(0), randomBytes(5_000_000));
  for (let index = 1; index < 20_000; index++) linkSync(name(0), name(index));
  const unary = (method: string, request: object): Promise<Record<string, never>> =>
    new Promise((resolve, reject) => {
      call(method, request, (error: ServiceError | null, reply: never) => (error ? reject(error) : resolve(reply)));
    });
  const names = new Set<string>();
  let page_token = "";
  do {
    const page = (await unary("List", { page_size: 10_000, page_token })) as unknown as {
      files: { path: string }[];
      next_page_token: string;
    };
    for (const { path } of page.files) names.add(path);
    page_token = page.next_page_token;
  } while (page_token !== "");
  expect(names.size).toBe(20_000);
  const read = (await unary("ReadFile", { path: name(0) })) as unknown as {
    chunk: { data: Buffer };
    truncated: boolean;
  };
  expect([read.chunk.data.length, read.truncated]).toEqual([3 * 1024 * 1024, true]);
});
