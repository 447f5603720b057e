import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { connect } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { ExecService, WorkspaceService } from "@yonder/proto";
import { describe, expect, onTestFinished, test } from "vitest";
import { makeAuthority, makeCertificate, temporaryDirectory, writeCertificate } from "../../helpers/certificates.ts";
import { iterate } from "../../helpers/collect.ts";
import { openTestEdge, transports } from "../../helpers/edge.ts";
import { rawConnection } from "../../helpers/raw.ts";
import { patient } from "../../helpers/time.ts";

async function prepare() {
  const ca = await makeAuthority();
  const directory = await temporaryDirectory();
  const settings = await writeCertificate(directory, await makeCertificate(ca));
  return { ca, directory, settings };
}

describe.each(Object.entries(transports))("%s", (_name, createTransport) => {
  test("answers over TLS", async () => {
    const { ca, settings } = await prepare();
    const { url, workspaceId } = await openTestEdge({ settings });
    expect(url).toMatch(/^https:/);
    const client = createClient(WorkspaceService, createTransport(url, { nodeOptions: { ca: ca.cert } }));
    expect((await client.getInfo({})).workspaceId).toBe(workspaceId);
  });

  test("is let in with a client certificate, and not without", async () => {
    const { ca, directory, settings } = await prepare();
    const clientCa = join(directory, "ca.crt");
    await writeFile(clientCa, ca.cert);
    const { url } = await openTestEdge({ settings: { ...settings, clientCa } });
    const call = async (nodeOptions: object): Promise<unknown> =>
      await createClient(WorkspaceService, createTransport(url, { nodeOptions })).getInfo({});
    const known = await makeCertificate(ca, "client");
    const stranger = await makeCertificate(await makeAuthority("Another CA"), "client");
    await call({ ca: ca.cert, ...known });
    await expect(call({ ca: ca.cert })).rejects.toThrow();
    await expect(call({ ca: ca.cert, ...stranger })).rejects.toThrow();
  });
});

test("a client certificate does not stand in for the key", async () => {
  const { ca, directory, settings } = await prepare();
  const clientCa = join(directory, "ca.crt");
  await writeFile(clientCa, ca.cert);
  const { url } = await openTestEdge({ settings: { ...settings, clientCa }, apiKeys: ["a-key-of-this-test"] });
  const nodeOptions = { ca: ca.cert, ...(await makeCertificate(ca, "client")) };
  const client = createClient(WorkspaceService, transports["grpc over HTTP/2"](url, { nodeOptions }));
  await expect(client.getInfo({})).rejects.toMatchObject({ code: 16 });
});

/** The serial number of the certificate that the server shows to somebody new. */
async function shownSerial(port: number, ca: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", ca });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test("a changed certificate is shown within seconds, and running streams go on", async () => {
  const { ca, directory, settings } = await prepare();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  async function* exec() {
    yield { event: { event: { case: "heartbeat", value: { cursor: 1n } } } } as const;
    await released;
    yield { event: { event: { case: "heartbeat", value: { cursor: 2n } } } } as const;
  }
  const { url, port } = await openTestEdge({ settings, exec: { exec } });
  const transport = transports["grpc over HTTP/2"](url, { nodeOptions: { ca: ca.cert } });
  const events = iterate(createClient(ExecService, transport).exec({}));
  await events.next();

  const before = await shownSerial(port, ca.cert);
  await writeCertificate(directory, await makeCertificate(ca));
  await expect.poll(async () => await shownSerial(port, ca.cert), { ...patient, interval: 100 }).not.toBe(before);
  release();
  expect((await events.next()).value).toMatchObject({ event: { event: { value: { cursor: 2n } } } });
});

test("a changed authority is what clients are held to within seconds", async () => {
  const { ca, directory, settings } = await prepare();
  const clientCa = join(directory, "ca.crt");
  await writeFile(clientCa, ca.cert);
  const { url } = await openTestEdge({ settings: { ...settings, clientCa } });
  const newCa = await makeAuthority("Next CA");
  const certificates = { old: await makeCertificate(ca, "client"), new: await makeCertificate(newCa, "client") };
  // A connection for each call, though with the TLS session of the one before where the server takes it.
  const agents = { old: new Agent({ keepAlive: false }), new: new Agent({ keepAlive: false }) };
  const isLetIn = async (which: "old" | "new"): Promise<boolean> => {
    const nodeOptions = { ca: ca.cert, ...certificates[which], agent: agents[which] } as object;
    const client = createClient(WorkspaceService, transports["connect over HTTP/1.1"](url, { nodeOptions }));
    return await client.getInfo({}).then(
      () => true,
      () => false,
    );
  };
  expect([await isLetIn("old"), await isLetIn("new")]).toEqual([true, false]);
  await writeFile(clientCa, newCa.cert);
  await expect.poll(async () => await isLetIn("new"), { ...patient, interval: 100 }).toBe(true);
  expect(await isLetIn("old")).toBe(false);
});

test("a broken certificate does not take the place of the one in use", async () => {
  const { ca, settings } = await prepare();
  const { port, log } = await openTestEdge({ settings });
  const before = await shownSerial(port, ca.cert);
  await writeFile(settings.tlsCert, "no certificate");
  await expect.poll(() => log.map(({ msg }) => msg), patient).toContainEqual(expect.stringContaining("cannot be used"));
  expect(await shownSerial(port, ca.cert)).toBe(before);
});

test("an HTTP/1.1 connection over TLS that sends its headers slowly is closed", async () => {
  const { ca, settings } = await prepare();
  const { port } = await openTestEdge({ settings, connectionLimits: { headersTimeoutMs: 200 } });
  const socket = connect({ port, host: "127.0.0.1", ca: ca.cert, ALPNProtocols: ["http/1.1"] });
  onTestFinished(() => void socket.destroy());
  const { closed } = rawConnection(socket);
  socket.write("POST / HTTP/1.1\r\nHost: localhost\r\n");
  const timer = setInterval(() => socket.write("X-Slow: 1\r\n"), 20);
  await closed;
  clearInterval(timer);
});

test("a refused upload over HTTP/1.1 and TLS is told why", async () => {
  const { ca, settings } = await prepare();
  const { port } = await openTestEdge({ settings, apiKeys: ["a-key-of-this-test"] });
  const status = await new Promise((resolve, reject) => {
    const call = request({
      port,
      method: "POST",
      path: "/yonder.workspace.v1.ExecService/WriteStdin",
      ca: ca.cert,
      headers: { "content-type": "application/proto" },
    });
    call.on("response", (response) => resolve(response.statusCode)).on("error", reject);
    call.end(Buffer.alloc(8 << 20));
  });
  expect(status).toBe(401);
});
