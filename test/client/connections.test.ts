import { expect, onTestFinished, test } from "vitest";
import { ConnectionLost, InvalidRequest, RemoteWorkspace } from "../../client/src/index.ts";
import { makeAuthority, makeCertificate, temporaryDirectory, writeCertificate } from "../helpers/certificates.ts";
import { startProxy } from "../helpers/proxy.ts";
import { execRecord, openScriptedServer, say } from "../helpers/scripted-server.ts";
import { startServer } from "../../server/src/index.ts";
import { connect } from "../helpers/workspaces.ts";

const apiKey = "a-key-for-tests-that-is-long-enough";

test("a connection on which nothing answers is given up by its pings, and calls go on over another", async () => {
  let asked = 0;
  const { url } = await openScriptedServer({
    exec: {
      getExec: ({ execId }) => {
        asked++;
        return { exec: execRecord(execId, asked > 1) };
      },
    },
  });
  const proxy = await startProxy({ target: url });
  onTestFinished(() => proxy.close());
  const workspace = await connect({ host: proxy.url, timeouts: { pingIntervalMs: 20, pingTimeoutMs: 50 } });
  const handle = await workspace.attach("made-up");
  proxy.freeze();
  proxy.thawNew();
  // Without pings this would take the 30 s of a call's own time limit.
  expect(await handle.info()).toMatchObject({ state: "ended" });
  expect(proxy.connections).toBeGreaterThan(1);
});

test("more streams than one connection may carry are all served", async () => {
  const waiting: (() => void)[] = [];
  const { url } = await openScriptedServer({
    exec: {
      async *attach({ execId }) {
        yield say.started(execId);
        await new Promise<void>((resolve) => waiting.push(resolve));
        yield say.ended();
      },
      getExec: ({ execId }) => ({ exec: execRecord(execId) }),
    },
  });
  const proxy = await startProxy({ target: url });
  onTestFinished(() => proxy.close());
  const workspace = await connect({ host: proxy.url });
  const before = proxy.connections;
  const handle = await workspace.attach("made-up");
  const readers = Array.from({ length: 250 }, async () => {
    const types: string[] = [];
    for await (const event of handle.events()) {
      types.push(event.type);
      // None of them ends before all have begun.
      if (waiting.length === 250) for (const resolve of waiting) resolve();
    }
    return types.join();
  });
  expect(new Set(await Promise.all(readers))).toEqual(new Set(["started,ended"]));
  expect(proxy.connections - before).toBe(3);
});

test("on a long way a stream fills its line: windows are wide on both sides", async () => {
  const bytes = 24 << 20;
  const server = await startServer({ port: 0, apiKeys: [apiKey] });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const proxy = await startProxy({ target: server.url, delayMs: 25 });
  onTestFinished(() => proxy.close());
  const workspace = await connect({ host: proxy.url, apiKey });
  const handle = await workspace.spawn(`head -c ${bytes} /dev/zero`);
  await handle.wait();
  let read = 0;
  for await (const part of handle.stdout) read += part.length;
  expect(read).toBe(bytes);
  // With HTTP/2's default windows never more than 64 KiB.
  expect(proxy.mostInFlight).toBeGreaterThan(512 << 10);
});

test("a certificate that is not trusted is told at once, and so is one that is wanted", async () => {
  const directory = await temporaryDirectory();
  const authority = await makeAuthority();
  const files = await writeCertificate(directory, await makeCertificate(authority));
  const server = await startServer({ port: 0, apiKeys: [apiKey], ...files });
  onTestFinished(() => server.close({ graceMs: 0 }));
  for (const httpVersion of ["2", "1.1"] as const) {
    const error = await RemoteWorkspace.connect({ host: server.url, apiKey, httpVersion }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConnectionLost);
    expect(error).toMatchObject({ reason: "CERTIFICATE_REJECTED", mayHaveRun: false, retryable: false });
    const options = { host: server.url, apiKey, httpVersion, tls: { ca: authority.cert, serverName: "elsewhere" } };
    await expect(RemoteWorkspace.connect(options)).rejects.toMatchObject({ reason: "CERTIFICATE_REJECTED" });
    const trusting = await connect({ ...options, tls: { ca: [authority.cert] } });
    expect(await trusting.alive()).toBe(true);
  }
});

test("gRPC over HTTP/1.1 is refused before anything is sent", async () => {
  const attempt = RemoteWorkspace.connect({ host: "http://127.0.0.1:1", protocol: "grpc", httpVersion: "1.1" });
  await expect(attempt).rejects.toBeInstanceOf(InvalidRequest);
});
