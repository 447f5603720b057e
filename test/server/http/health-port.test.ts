import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { WorkspaceService } from "@yonder/proto";
import { Health } from "@yonder/proto/grpc/health/v1/health";
import { expect, test } from "vitest";
import { makeAuthority, makeCertificate, temporaryDirectory, writeCertificate } from "../../helpers/certificates.ts";
import { openTestEdge } from "../../helpers/edge.ts";

test("the health port answers health without a key or certificate, and nothing else", async () => {
  const settings = await writeCertificate(await temporaryDirectory(), await makeCertificate(await makeAuthority()));
  const { edge } = await openTestEdge({ settings: { ...settings, healthPort: 0 }, apiKeys: ["a-key-of-this-test"] });
  const baseUrl = `http://127.0.0.1:${edge.healthAddress?.port}`;
  const grpc = createGrpcTransport({ baseUrl });
  const connect = createConnectTransport({ baseUrl, httpVersion: "1.1" });
  for (const transport of [grpc, connect]) {
    expect((await createClient(Health, transport).check({})).status).toBe(1);
    await expect(createClient(WorkspaceService, transport).getInfo({})).rejects.toMatchObject({ code: 12 });
  }
  expect(await (await fetch(`${baseUrl}/healthz`)).text()).toBe("serving\n");
});

test("the health port says that the server stops for as long as it drains", async () => {
  const { edge } = await openTestEdge({ settings: { healthPort: 0 } });
  const work = Promise.withResolvers<void>();
  const closed = edge.close({ graceMs: 60_000, stopWork: () => work.promise });
  const answer = await fetch(`http://127.0.0.1:${edge.healthAddress?.port}/healthz`);
  expect([answer.status, await answer.text()]).toEqual([503, "stopping\n"]);
  work.resolve();
  await closed;
});

test("the main port answers /healthz without a key", async () => {
  const { url } = await openTestEdge({ apiKeys: ["a-key-of-this-test"] });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});
