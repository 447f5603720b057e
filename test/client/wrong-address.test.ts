import { writeFile } from "node:fs/promises";
import { createServer as createWebServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { ConnectionLost, InvalidRequest, RemoteWorkspace } from "../../client/src/index.ts";
import type { RemoteWorkspaceOptions } from "../../client/src/index.ts";
import { startServer } from "../../server/src/index.ts";
import type { ServerOptions } from "../../server/src/index.ts";
import { makeAuthority, makeCertificate, temporaryDirectory, writeCertificate } from "../helpers/certificates.ts";
import type { Certificate } from "../helpers/certificates.ts";

const apiKey = "a-key-for-tests-that-is-long-enough";
const versions = ["2", "1.1"] as const;

let authority: Certificate;
let certificate: Certificate;
beforeAll(async () => {
  authority = await makeAuthority();
  certificate = await makeCertificate(authority);
});

test("a web server is told as what it is, with the URL and its answer", async () => {
  const page: RequestListener = (_request, response) => response.setHeader("content-type", "text/html").end("<html>");
  const missing: RequestListener = (_request, response) => response.writeHead(404).end();
  for (const [listener, answer] of [
    [page, "unsupported content type text/html"],
    [missing, "HTTP 404"],
  ] as const) {
    const web = await listening(createWebServer(listener));
    await expectRefused({ host: web, httpVersion: "1.1" }, [`${web}/yonder.`, `answered with "${answer}"`, noYonder]);
    await expectRefused({ host: web }, [web, "does not speak HTTP/2", noYonder, 'httpVersion "1.1"']);
  }
  const web2 = await listening(createHttp2Server((_request, response) => response.writeHead(404).end()));
  await expectRefused({ host: web2 }, [`${web2}/yonder.`, 'answered with "HTTP 404"', noYonder]);
  await expectRefused({ host: web2, httpVersion: "1.1" }, ["does not speak HTTP/1.1", noYonder, 'httpVersion "2"']);
});

test("what is no web server at all is told at once as no server of ours", async () => {
  const other = createServer((socket) => {
    // It reads, so that it notices when the client goes.
    socket.on("error", () => {}).resume();
    socket.write("SSH-2.0-OpenSSH\r\n");
  });
  const host = await listening(other);
  for (const httpVersion of versions) await expectRefused({ host, httpVersion }, [host, noYonder]);
});

test("who takes connections and says nothing is told once the time to connect is over, or left when asked to", async () => {
  // It reads, so that it notices when the client goes.
  const silent = createServer((socket) => void socket.on("error", () => {}).resume());
  const host = await listening(silent);
  for (const httpVersion of versions) {
    await expectRefused({ host, httpVersion, timeouts: { connectMs: 200 } }, [`${host} does not answer`], true);
    const abort = new AbortController();
    silent.once("connection", () => abort.abort());
    const connecting = RemoteWorkspace.connect({ host, httpVersion, signal: abort.signal });
    await expect(connecting).rejects.toMatchObject({ name: "AbortError" });
  }
});

test("a path too many is told with the address without it", async () => {
  const { url } = await openServer();
  for (const httpVersion of versions) {
    const hints = [`${url}/sub/yonder.`, "HTTP 404", `without a path it would be ${url}`];
    await expectRefused({ host: `${url}/sub`, httpVersion }, hints);
  }
});

test("http:// to a port with TLS hints at https://, and the other way round", async () => {
  const secure = await openServer({ ...(await certificateFiles()) });
  const open = await openServer();
  for (const httpVersion of versions) {
    const host = secure.url.replace("https", "http");
    await expectRefused({ host, httpVersion }, [`${host} speaks TLS`, `use ${secure.url}`]);
    const other = open.url.replace("http", "https");
    await expectRefused({ host: other, httpVersion }, [`${other} does not speak TLS`, `use ${open.url}`]);
  }
});

test("a certificate that does not do is told with the option that mends it", async () => {
  const files = await certificateFiles();
  const { url } = await openServer({ ...files });
  const clientCa = join(await temporaryDirectory(), "ca.crt");
  await writeFile(clientCa, authority.cert);
  const choosy = await openServer({ ...files, clientCa });
  const ca = authority.cert;
  for (const httpVersion of versions) {
    await expectUntrusted({ host: url, httpVersion }, /unable to verify.*; give .* as tls\.ca$/);
    await expectUntrusted(
      { host: url, httpVersion, tls: { ca, serverName: "other" } },
      /altnames.* as tls\.serverName$/,
    );
    await expectUntrusted(
      { host: choosy.url, httpVersion, tls: { ca } },
      /: tlsv13 alert certificate required; .* as tls\.cert, with its key as tls\.key$/,
    );
  }
});

test("what is no certificate and no key is refused before anything is sent", async () => {
  const { cert, key } = certificate;
  const other = (await makeCertificate(authority)).key;
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  for (const [tls, subject] of [
    [{ ca: "/etc/yonder/ca.crt" }, "tls.ca"],
    [{ ca: [authority.cert, broken] }, "tls.ca"],
    [{ ca: 5 as never }, "tls.ca"],
    [{ cert: Buffer.from("nothing"), key }, "tls.cert"],
    [{ cert, key: "nothing" }, "tls.key"],
    [{ cert, key: other }, "tls.key"],
    [{ cert }, "tls.key"],
    [{ key }, "tls.cert"],
  ] as const) {
    const error = await RemoteWorkspace.connect({ host: "https://127.0.0.1:1", tls }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InvalidRequest);
    expect(error).toMatchObject({ reason: "INVALID_FIELD", subject });
    expect((error as Error).message).toContain(`${subject} must be `);
  }
});

const noYonder = "does not look like a Yonder server";

async function expectRefused(options: RemoteWorkspaceOptions, hints: string[], retryable = false): Promise<void> {
  const error = await RemoteWorkspace.connect({ apiKey, ...options }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ConnectionLost);
  const expected = { reason: "CONNECTION_REFUSED", subject: options.host, mayHaveRun: false, retryable };
  expect(error).toMatchObject(expected);
  for (const hint of hints) expect((error as Error).message).toContain(hint);
}

async function expectUntrusted(options: RemoteWorkspaceOptions, message: RegExp): Promise<void> {
  const error = await RemoteWorkspace.connect({ apiKey, ...options }).catch((e: unknown) => e);
  expect(error).toMatchObject({ reason: "CERTIFICATE_REJECTED", subject: options.host, retryable: false });
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message).not.toContain("Node");
}

async function certificateFiles() {
  return await writeCertificate(await temporaryDirectory(), certificate);
}

async function openServer(options: ServerOptions = {}) {
  const server = await startServer({ port: 0, apiKeys: [apiKey], ...options });
  onTestFinished(() => server.close({ graceMs: 0 }));
  return server;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => await new Promise<void>((resolve) => server.close(() => resolve())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
