import { request } from "node:http";
import { gunzipSync, gzipSync } from "node:zlib";
import { createClient } from "@connectrpc/connect";
import { compressionGzip, createConnectTransport } from "@connectrpc/connect-node";
import { ExecService } from "@yonder/proto";
import { expect, test } from "vitest";
import { openTestEdge } from "../../helpers/edge.ts";

const longText = "as long as it takes to be worth it ".repeat(1_000);

async function post(port: number, method: string, headers: Record<string, string>, body: Buffer) {
  return await new Promise<{ encoding: string | undefined; body: Buffer; status: number | undefined }>((resolve) => {
    const call = request({ port, method: "POST", path: `/yonder.workspace.v1.${method}`, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const encoding = response.headers["content-encoding"] ?? response.headers["connect-content-encoding"];
        resolve({ encoding: encoding?.toString(), body: Buffer.concat(chunks), status: response.statusCode });
      });
    });
    call.end(body);
  });
}

const getExec = () => ({ exec: { execId: longText } });

test("a large unary answer comes in gzip where the caller takes it", async () => {
  const { port } = await openTestEdge({ exec: { getExec } });
  const headers = { "content-type": "application/json", "accept-encoding": "gzip, br" };
  const { encoding, body } = await post(port, "ExecService/GetExec", headers, Buffer.from("{}"));
  expect(encoding).toBe("gzip");
  expect(JSON.parse(gunzipSync(body).toString())).toEqual({ exec: { execId: longText } });
});

test("brotli is not offered", async () => {
  const { port } = await openTestEdge({ exec: { getExec } });
  const headers = { "content-type": "application/json", "accept-encoding": "br" };
  const { encoding } = await post(port, "ExecService/GetExec", headers, Buffer.from("{}"));
  expect(encoding).toBeUndefined();
});

test("a compressed request is taken", async () => {
  let offset = 0n;
  const writeStdin = (request: { offset: bigint }) => {
    offset = request.offset;
    return {};
  };
  const { url } = await openTestEdge({ exec: { writeStdin } });
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "1.1",
    sendCompression: compressionGzip,
    compressMinBytes: 0,
  });
  await createClient(ExecService, transport).writeStdin({ offset: 7n, data: Buffer.alloc(10_000) });
  expect(offset).toBe(7n);
});

test("a small request that is too large once it is decompressed is refused", async () => {
  const { port } = await openTestEdge({ exec: { writeStdin: () => ({}) } });
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const bomb = gzipSync(Buffer.alloc(64 << 20));
  const { status, body } = await post(port, "ExecService/WriteStdin", headers, bomb);
  expect(status).toBe(429);
  expect(JSON.parse(body.toString())).toMatchObject({ code: "resource_exhausted" });
});

test("the messages of a stream are not compressed though the caller takes gzip", async () => {
  async function* exec() {
    yield { event: { event: { case: "output", value: { data: Buffer.alloc(100_000) } } } } as const;
  }
  const { port } = await openTestEdge({ exec: { exec } });
  const headers = { "content-type": "application/connect+proto", "connect-accept-encoding": "gzip" };
  const { body } = await post(port, "ExecService/Exec", headers, Buffer.alloc(5));
  expect(body.length).toBeGreaterThan(100_000);
  expect(body[0]).toBe(0);
});
