import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { ExecService, WorkspaceService } from "@yonder/proto";
import { expect, test } from "vitest";
import { openTestEdge } from "../../helpers/edge.ts";
import { openRaw, rawConnection } from "../../helpers/raw.ts";

test("a message that is too large does not harm the calls after it on a kept-alive connection", async () => {
  const { url } = await openTestEdge({ settings: { maxMessageBytes: 65_536 } });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const transport = createConnectTransport({ baseUrl: url, httpVersion: "1.1", nodeOptions: { agent } });
  const exec = createClient(ExecService, transport);
  const workspace = createClient(WorkspaceService, transport);
  for (let round = 0; round < 5; round += 1) {
    await workspace.getInfo({});
    await expect(exec.writeStdin({ data: new Uint8Array(1 << 20) })).rejects.toMatchObject({ code: 8 });
    await workspace.getInfo({});
  }
  agent.destroy();
});

test("a refused upload of many megabytes over HTTP/1.1 is told why", async () => {
  const { port } = await openTestEdge({ apiKeys: ["a-key-of-this-test"] });
  const answer = await new Promise<string>((resolve, reject) => {
    const upload = request({
      port,
      method: "POST",
      path: "/yonder.workspace.v1.ExecService/WriteStdin",
      headers: { "content-type": "application/proto", "content-length": 64 << 20 },
    });
    // All of it at once, as a client does that looks at the answer last.
    upload.end(Buffer.alloc(64 << 20));
    upload.on("error", reject);
    upload.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => (body += text));
      response.on("end", () => resolve(`${response.statusCode} ${body}`));
    });
  });
  expect(answer).toMatch(/^401 .*bears no API key/);
});

test("a refused stream of messages over HTTP/2 ends at once and leaves the connection whole", async () => {
  const { url } = await openTestEdge({ settings: { maxMessageBytes: 65_536 } });
  const transport = createGrpcTransport({ baseUrl: url });
  const exec = createClient(ExecService, transport);
  for (let round = 0; round < 20; round += 1) {
    await expect(exec.writeStdin({ data: new Uint8Array(1 << 20) })).rejects.toMatchObject({ code: 8 });
  }
  await createClient(WorkspaceService, transport).getInfo({});
});

test.each([
  ["application/json", "ExecService/WriteStdin", /^HTTP\/1\.1 429 [^]*connection: close[^]*resource_exhausted/i],
  ["application/connect+proto", "FileService/Upload", /^HTTP\/1\.1 200 [^]*connection: close[^]*resource_exhausted/i],
])("who sends many megabytes of %s before he reads is told why they are too much", async (type, call, answer) => {
  const { port } = await openTestEdge({
    settings: { maxMessageBytes: 65_536 },
    files: {
      async upload(requests) {
        await requests[Symbol.asyncIterator]().next();
        return {};
      },
    },
  });
  const { socket, received, closed } = await openRaw(port);
  socket.pause();
  socket.write(`POST /yonder.workspace.v1.${call} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`);
  socket.write("Connect-Protocol-Version: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
  // Spaces are JSON without an end; behind a zero they are an envelope of half a gigabyte.
  socket.write("1\r\n\0\r\n".replace("\0", type === "application/json" ? " " : "\0"));
  const chunk = `100000\r\n${" ".repeat(1 << 20)}\r\n`;
  // More than the kernel keeps for the two.
  for (let left = 32; left > 0; left -= 1) {
    await new Promise<void>((resolve, reject) => {
      socket.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
  }
  const answered = received(answer);
  socket.resume();
  await answered;
  await closed;
});

test("what comes behind a request that was answered before it was read is no request", async () => {
  const apiKey = "a-key-of-this-test";
  const { port, log } = await openTestEdge({ apiKeys: [apiKey] });
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const { text, closed } = rawConnection(socket);
  const head =
    "POST /yonder.workspace.v1.WorkspaceService/GetInfo HTTP/1.1\r\nHost: localhost\r\n" +
    "Content-Type: application/json\r\nContent-Length: 2\r\n";
  socket.write(`${head}\r\n{`);
  await once(socket, "end");
  socket.end(`}${head}X-API-Key: ${apiKey}\r\n\r\n{}`);
  await closed;
  expect(text()).toMatch(/^HTTP\/1\.1 401/);
  expect(log.filter(({ msg }) => msg === "call")).toHaveLength(1);
});
