import { writeFile } from "node:fs/promises";
import { createServer as createWebServer } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startServer } from "../../../server/src/index.ts";
import type { ServerOptions } from "../../../server/src/index.ts";
import { makeAuthority, makeCertificate, temporaryDirectory, writeCertificate } from "../../helpers/certificates.ts";
import type { Certificate } from "../../helpers/certificates.ts";
import { diagnose } from "../../helpers/diagnose.ts";
import { startDowngradingProxy } from "../../helpers/downgrading-proxy.ts";
import { startProxy } from "../../helpers/proxy.ts";
import { openScriptedServer } from "../../helpers/scripted-server.ts";

const day = 24 * 60 * 60_000;
const key = "a-key-for-tests-that-is-long-enough";

describe("the name and the port", () => {
  test("a name that leads nowhere is told as one, and all behind it is skipped", async () => {
    const found = await diagnose("http://no-such-host.invalid:8000", { machine: true });
    expect(found.of("name")).toMatchObject({ status: "failed" });
    expect(found.of("name").detail).toContain("no-such-host.invalid");
    expect(found.of("name").remedy).not.toBe("");
    for (const finding of found.findings.slice(1)) {
      expect(finding).toMatchObject({ status: "skipped", detail: "name comes first" });
    }
  });

  test("a port on which nothing listens is told with what to start", async () => {
    const port = (await diagnose("http://127.0.0.1:1")).of("port");
    expect(port).toMatchObject({ status: "failed", detail: "port 1 is not open: 127.0.0.1: nothing listens there" });
    expect(port.remedy).toContain("yonder serve --port 1");
  });

  test("a name of which one address is shut is fine where another is open", async () => {
    const { url } = await openServer();
    const found = await diagnose(url.replace("127.0.0.1", "localhost"));
    expect(found.of("name")).toMatchObject({ status: "ok" });
    expect(found.of("port").detail).toContain("is open at 127.0.0.1");
    expect(found.of("port").status).toBe("ok");
  });

  test("a socket that is not there, and one that a dead server left", async () => {
    const directory = await temporaryDirectory();
    const missing = (await diagnose(`unix:${join(directory, "none.sock")}`)).of("port");
    expect(missing).toMatchObject({ status: "failed", detail: expect.stringContaining("it does not exist") as string });
    const file = join(directory, "file");
    await writeFile(file, "");
    const none = (await diagnose(`unix:${file}`)).of("port");
    expect(none.detail).toMatch(/it is no socket|nobody listens/);
    const socket = join(directory, "yonder.sock");
    const open = await startServer({ socket });
    onTestFinished(() => open.close({ graceMs: 0 }));
    expect(
      (await diagnose(`unix:${socket}`)).faults.filter((fault) => /^(name|port|tls|http|key)/.test(fault)),
    ).toEqual([]);
  });
});

describe("TLS", () => {
  let authority: Certificate;
  beforeAll(async () => {
    authority = await makeAuthority();
  });

  const secured = async (certificate: Certificate, options: ServerOptions = {}) =>
    await openServer({ ...(await writeCertificate(await temporaryDirectory(), certificate)), ...options });

  test("a certificate that does is told with its authority and its last day", async () => {
    const { url } = await secured(await makeCertificate(authority));
    const found = await diagnose(url, { tls: { ca: authority.cert } });
    expect(found.of("tls")).toMatchObject({
      status: "ok",
      detail: expect.stringMatching(/Test CA.*until \d{4}-/) as string,
    });
    expect(found.of("http").status).toBe("ok");
  });

  test.for([
    ["has expired on", -20 * day, -10 * day, "Renew it"],
    ["is not valid before", 10 * day, 20 * day, "Set the clock"],
  ] as const)("one that %s a day is told with the day", async ([what, from, to, remedy]) => {
    const now = Date.now();
    const validity = { notBeforeDate: new Date(now + from), notAfterDate: new Date(now + to) };
    const { url } = await secured(await makeCertificate(authority, "localhost", validity));
    const { findings, faults } = await diagnose(url, { tls: { ca: authority.cert } });
    expect(faults).toHaveLength(1);
    const fault = findings.find(({ status }) => status === "failed");
    expect(fault).toMatchObject({ step: "tls" });
    expect(fault?.detail).toContain(what);
    expect(fault?.remedy).toContain(remedy);
  });

  test("one that is about to expire is a warning, and the way goes on", async () => {
    const now = Date.now();
    const validity = { notBeforeDate: new Date(now - 99 * day), notAfterDate: new Date(now + day) };
    const { url } = await secured(await makeCertificate(authority, "localhost", validity));
    const { faults, of } = await diagnose(url, { tls: { ca: authority.cert } });
    expect(faults[0]).toMatch(/^tls warning: the certificate expires on/);
    expect(of("key").status).toBe("ok");
  });

  test("one for another name is told with the names that it has", async () => {
    const { url } = await secured(await makeCertificate(authority));
    const { faults } = await diagnose(url, { tls: { ca: authority.cert, serverName: "other.example" } });
    expect(faults).toEqual(["tls failed: the certificate is not for other.example; it is for localhost, 127.0.0.1"]);
  });

  test("one of an authority that nobody knows here is told with the way to name it", async () => {
    const { url } = await secured(await makeCertificate(authority));
    const tls = (await diagnose(url)).of("tls");
    expect(tls).toMatchObject({ status: "failed", detail: expect.stringContaining("Test CA") as string });
    expect(tls.remedy).toContain("--ca FILE");
    const { faults } = await diagnose(url, { tls: { ca: "no certificate" } });
    expect(faults).toEqual(["tls failed: what --ca or the profile's ca names holds no certificate"]);
  });

  test("a server that wants to know its clients says so", async () => {
    const clientCa = join(await temporaryDirectory(), "ca.crt");
    await writeFile(clientCa, authority.cert);
    const certificate = await makeCertificate(authority);
    const { url } = await secured(certificate, { clientCa });
    const { faults, findings } = await diagnose(url, { tls: { ca: authority.cert } });
    expect(faults).toHaveLength(1);
    expect(findings.find(({ status }) => status === "failed")?.remedy).toContain("--cert-key");
    const known = await diagnose(url, { tls: { ca: authority.cert, ...certificate } });
    expect(known.of("key").status).toBe("ok");
  });

  test("a server without it, and one with it, are told by the address that they have", async () => {
    const plain = await openServer();
    const secure = await secured(await makeCertificate(authority));
    const asked = plain.url.replace("http", "https");
    expect((await diagnose(asked)).of("tls")).toMatchObject({
      detail: `${asked} does not speak TLS`,
      remedy: `Connect without: ${plain.url}`,
    });
    expect((await diagnose(secure.url.replace("https", "http"))).of("http")).toMatchObject({
      status: "failed",
      remedy: `Connect with it: ${secure.url}`,
    });
  });
});

describe("HTTP", () => {
  test("a proxy that knows HTTP/1.1 alone is told with the flag that gets through it", async () => {
    const { url } = await openServer();
    const proxy = await startDowngradingProxy(url, { front: "HTTP/1.1" });
    const http = (await diagnose(proxy)).of("http");
    expect(http).toMatchObject({ status: "failed", detail: expect.stringContaining("knows HTTP/1.1 alone") as string });
    expect(http.remedy).toContain("--http-version 1.1");
    expect((await diagnose(proxy, { httpVersion: "1.1" })).of("key").status).toBe("ok");
  });

  test("the same behind TLS, where both sides say first what they speak", async () => {
    const { url } = await openServer();
    const authority = await makeAuthority();
    const proxy = await startDowngradingProxy(url, { front: "HTTP/1.1", tls: await makeCertificate(authority) });
    const tls = { ca: authority.cert };
    const found = await diagnose(proxy, { tls });
    expect(found.of("tls").status).toBe("ok");
    expect(found.of("http")).toMatchObject({
      status: "failed",
      detail: expect.stringContaining("knows HTTP/1.1 alone") as string,
      remedy: expect.stringContaining("--http-version 1.1") as string,
    });
    expect((await diagnose(proxy, { tls, httpVersion: "1.1" })).of("key").status).toBe("ok");
  });

  test("a proxy that takes HTTP/2 and goes on in HTTP/1.1 is told by the trailers that it loses", async () => {
    const { url } = await openServer();
    const proxy = await startDowngradingProxy(url, { front: "HTTP/2" });
    const http = (await diagnose(proxy)).of("http");
    expect(http.status).toBe("failed");
    expect(http.detail).toMatch(/takes HTTP\/2 and goes on in HTTP\/1\.1|takes no grpc over HTTP\/2/);
    expect(http.remedy).toContain("--protocol connect");
    expect((await diagnose(proxy, { protocol: "connect" })).of("key").status).toBe("ok");
  });

  test("a proxy whose server is away, and a web server that is none of ours", async () => {
    const proxy = await startDowngradingProxy("http://127.0.0.1:1", { front: "HTTP/1.1" });
    expect((await diagnose(proxy)).of("http")).toMatchObject({
      status: "failed",
      detail: expect.stringContaining("HTTP 502: it does not reach the server") as string,
    });
    const web = await listening(
      createWebServer((_request, response) => response.setHeader("content-type", "text/html").end("<html>")),
    );
    expect((await diagnose(web)).of("http").detail).toBe(
      "this does not look like a Yonder server: it answers with HTTP 200 and text/html",
    );
  });

  test("what is no web server at all", async () => {
    const other = createServer((socket) => {
      socket.on("error", () => {}).resume();
      socket.write("SSH-2.0-OpenSSH\r\n");
    });
    expect((await diagnose(await listening(other))).of("http")).toMatchObject({
      status: "failed",
      detail: expect.stringContaining("answers no HTTP") as string,
    });
  });
});

describe("the key", () => {
  test("that is missing, that is wrong and that is taken", async () => {
    const { url } = await openServer({ apiKeys: [key] });
    const missing = (await diagnose(url)).of("key");
    expect(missing).toMatchObject({ status: "failed", detail: "the server wants one, and none is known here" });
    expect(missing.remedy).toContain("YONDER_API_KEY_FILE");
    const wrong = (await diagnose(url, { apiKey: `${key}-not` })).of("key");
    expect(wrong).toMatchObject({ status: "failed", detail: "the server does not take the one of YONDER_API_KEY" });
    expect(JSON.stringify(wrong)).not.toContain(key);
    expect((await diagnose(url, { apiKey: key })).of("key").detail).toBe("the server takes the one of YONDER_API_KEY");
  });

  test("of another workspace than the one that is meant", async () => {
    const { url } = await openServer();
    const found = (await diagnose(url, { workspaceId: "11111111-1111-4111-8111-111111111111" })).of("key");
    expect(found).toMatchObject({ status: "failed", detail: expect.stringContaining("another workspace") as string });
  });
});

describe("versions", () => {
  test.for([
    ["0.0.9", /older than this command, 0\.1\.0/, "Upgrade the server."],
    ["9.9.9", /newer than this command, 0\.1\.0/, "Upgrade the command"],
  ] as const)("a server of %s is a warning", async ([version, detail, remedy]) => {
    const { url } = await openScriptedServer({ info: { version, currentTime: timestampNow(), diagnosis: {} } });
    const found = (await diagnose(url)).of("version");
    expect(found).toMatchObject({ status: "warning", detail: expect.stringMatching(detail) as string });
    expect(found.remedy).toContain(remedy);
  });

  test("a server that cannot look at its machine is older, and what it cannot tell is skipped", async () => {
    const { url } = await openScriptedServer();
    const found = await diagnose(url, { machine: true });
    expect(found.of("version")).toMatchObject({ status: "warning" });
    for (const step of ["clock", "terminal", "git", "disk"] as const) {
      expect(found.of(step)).toMatchObject({ status: "skipped", detail: expect.stringContaining("too old") as string });
    }
  });
});

describe("silence", () => {
  test("a proxy that drops silent streams is told with the time that it waits", async () => {
    const { url } = await openServer();
    await using proxy = await startProxy({ target: url, idleCutMs: 1_500 });
    for (const httpVersion of ["2", "1.1"] as const) {
      const idle = (await diagnose(proxy.url, { idleMs: 20_000, httpVersion })).of("idle");
      expect(idle).toMatchObject({ status: "warning", detail: expect.stringMatching(/cut after \d+(ms|s)/) as string });
      expect(idle.remedy).toContain("--heartbeat-interval");
    }
  });

  test("one that waits longer than from heartbeat to heartbeat is fine, and so is none", async () => {
    const { url } = await openServer({ heartbeatIntervalMs: 100 });
    await using proxy = await startProxy({ target: url, idleCutMs: 1_500 });
    const cut = (await diagnose(proxy.url, { idleMs: 20_000 })).of("idle");
    expect(cut).toMatchObject({ status: "ok", detail: expect.stringContaining("heard of every 100ms") as string });
    const free = (await diagnose(url, { idleMs: 300 })).of("idle");
    expect(free).toMatchObject({ status: "ok", detail: "a stream is left alone for 300ms of silence" });
  });

  test("a proxy that keeps answers until they are complete is told as one", async () => {
    const { url } = await openServer();
    const proxy = await startDowngradingProxy(url, { front: "HTTP/1.1", buffers: true });
    const idle = (await diagnose(proxy, { httpVersion: "1.1", idleMs: 300, timeoutMs: 2_000 })).of("idle");
    expect(idle).toMatchObject({
      status: "failed",
      detail: expect.stringContaining("a stream does not begin") as string,
    });
    expect(idle.remedy).toContain("proxy_buffering off");
  });
});

async function openServer(options: ServerOptions = {}) {
  const server = await startServer({ port: 0, ...options });
  onTestFinished(() => server.close({ graceMs: 0 }));
  return server;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => await new Promise<void>((resolve) => server.close(() => resolve())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
