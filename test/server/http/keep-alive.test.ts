import { Agent, request } from "node:http";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { ExecService, WorkspaceService } from "@yonder/proto";
import { expect, test } from "vitest";
import { openTestEdge } from "../../helpers/edge.ts";

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
