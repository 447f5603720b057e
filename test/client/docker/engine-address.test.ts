import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findEngine } from "../../../client/src/docker/engine-address.ts";

/** A Docker configuration with one context, "far", that is in use. */
function configuration(): string {
  const directory = mkdtempSync(join(tmpdir(), "yonder-docker-config-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const digest = createHash("sha256").update("far").digest("hex");
  const meta = join(directory, "contexts/meta", digest);
  const tls = join(directory, "contexts/tls", digest, "docker");
  for (const each of [meta, tls]) mkdirSync(each, { recursive: true });
  writeFileSync(join(directory, "config.json"), JSON.stringify({ currentContext: "far" }));
  const endpoint = { Host: "tcp://127.0.0.1:9999", SkipTLSVerify: false };
  writeFileSync(join(meta, "meta.json"), JSON.stringify({ Name: "far", Endpoints: { docker: endpoint } }));
  writeFileSync(join(tls, "ca.pem"), "the authority");
  return directory;
}

test("the engine is found as docker finds it: told, DOCKER_HOST, DOCKER_CONTEXT, the context in use", () => {
  const DOCKER_CONFIG = configuration();
  const told = { DOCKER_CONFIG, DOCKER_HOST: "unix:///host.sock" };
  expect(findEngine("unix:///told.sock", told).target).toEqual({ socketPath: "/told.sock" });
  expect(findEngine(undefined, told).target).toEqual({ socketPath: "/host.sock" });
  const inUse = findEngine(undefined, { DOCKER_CONFIG });
  expect(inUse).toMatchObject({ target: { host: "127.0.0.1", port: 9_999 }, tls: { rejectUnauthorized: true } });
  expect(inUse.tls?.ca?.toString()).toBe("the authority");
  expect(findEngine(undefined, { DOCKER_CONFIG, DOCKER_CONTEXT: "default" }).target).toHaveProperty("socketPath");
});

test("a context that is not there is told by name", () => {
  const env = { DOCKER_CONFIG: configuration(), DOCKER_CONTEXT: "nowhere" };
  expect(() => findEngine(undefined, env)).toThrow(/no Docker context "nowhere"/);
});

test("TCP addresses have Docker's ports, and TLS where it is to be verified", () => {
  expect(findEngine("tcp://localhost", {})).toMatchObject({
    target: { host: "localhost", port: 2_375 },
    tls: undefined,
  });
  const verified = findEngine("tcp://[::1]", { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/nonexistent" });
  expect(verified).toMatchObject({ target: { host: "::1", port: 2_376 }, tls: { rejectUnauthorized: true } });
});

test("an address that is none is refused with the way out", () => {
  expect(() => findEngine("ssh://host", {})).toThrow(/through ssh, forward the engine's socket/);
  expect(() => findEngine("somewhere", {})).toThrow(/must be "unix:\/\/\/path" or "tcp:\/\/host:port"/);
});
