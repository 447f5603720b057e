import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { serveGitHttps, type GitHttpsServer } from "../../helpers/git-https.ts";
import { finish } from "../../helpers/git-operations.ts";
import { openGitServer, type GitServer } from "../../helpers/git-server.ts";
import { makeRepository, openRepository, temporaryDirectory, type Repository } from "../../helpers/repositories.ts";
import { findSecret } from "../../helpers/secret-search.ts";

let secrets = 0;

/** Written as pieces, so that no source or report of this test holds it. */
function newSecret(): string {
  return ["tok", process.pid, "en", ++secrets, Date.now().toString(36), "s3cr/et+?"].join("-");
}

interface Place {
  readonly https: GitHttpsServer;
  readonly server: GitServer;
  /** The workspace's directory. */
  readonly directory: string;
  readonly origin: Repository;
  readonly url: string;
  readonly secret: string;
  readonly credentials: { secret: { case: "password"; value: { username: string; password: string } } }[];
}

/** A git server with one repository that takes a fresh password, and a workspace. */
async function openPlace(options: { cleartext?: boolean } = {}): Promise<Place> {
  const root = temporaryDirectory();
  const origin = makeRepository(join(root, "repo.git"), "--bare");
  origin.git("config", "http.receivepack", "true");
  const seed = makeRepository(join(root, "seed"));
  for (let index = 0; index < 20; index++) seed.write(`file${index}`, `${index}`);
  seed.commit();
  seed.git("push", "-q", origin.path, "main");
  const secret = newSecret();
  const https = await serveGitHttps({ root, password: secret, ...options });
  const directory = temporaryDirectory();
  const server = await openGitServer(directory);
  const credentials = [{ secret: { case: "password" as const, value: { username: "user", password: secret } } }];
  return { https, server, directory, origin, url: `${https.origin}/repo.git`, secret, credentials };
}

test("clone, commit, push, fetch and pull over https leave the token nowhere", async () => {
  const { server, directory, origin, url, secret, credentials } = await openPlace();
  const seen: unknown[] = [];
  seen.push(await finish(server.client.cloneRepository({ url, path: "work", credentials })));
  const work = openRepository(join(directory, "work"));
  expect(work.git("remote", "get-url", "origin")).toBe(url);
  work.write("new", "1");
  await server.client.commit({ path: "work", message: "work", stageAll: true });
  seen.push(await finish(server.client.push({ path: "work", credentials })));
  expect(origin.git("log", "-1", "--format=%s", "main")).toBe("work");
  seen.push(await finish(server.client.fetch({ path: "work", credentials, tags: true })));
  seen.push(await finish(server.client.pull({ path: "work", credentials })));
  expect(
    JSON.stringify(seen, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value)),
  ).not.toContain(secret);
  expect(findSecret(secret, [directory])).toEqual([]);
});

test("no process has the token in its arguments or environment while git runs", async () => {
  const { https, server, directory, url, secret, credentials } = await openPlace();
  const found: string[] = [];
  let searches = 0;
  https.intercept = (request) => {
    if (request.headers.authorization === undefined) return false;
    searches++;
    found.push(...findSecret(secret, [directory]));
    return false;
  };
  await finish(server.client.cloneRepository({ url, credentials }));
  expect(searches).toBeGreaterThan(1);
  expect(found).toEqual([]);
});

test("a wrong password, an expired token and none at all are refused, and told nowhere", async () => {
  const { https, server, directory, url, secret, credentials } = await openPlace();
  await finish(server.client.cloneRepository({ url, path: "work", credentials }));
  openRepository(join(directory, "work")).commit();
  const wrong = newSecret();
  const wrongCredentials = [{ secret: { case: "password" as const, value: { username: wrong, password: wrong } } }];
  const calls = [
    () => server.client.cloneRepository({ url, path: "x", credentials: wrongCredentials }),
    () => server.client.cloneRepository({ url, path: "x" }),
    () => server.client.fetch({ path: "work", credentials: wrongCredentials }),
    () => server.client.push({ path: "work", credentials: wrongCredentials }),
  ];
  for (const call of calls) {
    const detail = await expectReason(call(), "AUTHENTICATION_FAILED");
    expect(JSON.stringify(detail.subject)).not.toContain(wrong);
  }
  const none = finish(server.client.cloneRepository({ url, path: "x" }));
  await expect(none).rejects.toThrow(/^(?!.*askpass).*could not read Username/);
  https.password = newSecret();
  const expired = await finish(server.client.fetch({ path: "work", credentials })).catch((error: unknown) => error);
  expect(ConnectError.from(expired).message).not.toContain(secret);
  await expectReason(server.client.pull({ path: "work", credentials }), "AUTHENTICATION_FAILED");
  expect(readdirSync(directory)).toEqual(["work"]);
  expect([...findSecret(wrong, [directory]), ...findSecret(secret, [directory])]).toEqual([]);
});

test("a rejected push tells why, and no secret", async () => {
  const { server, directory, origin, url, secret, credentials } = await openPlace();
  await finish(server.client.cloneRepository({ url, path: "work", credentials }));
  openRepository(join(directory, "work")).commit();
  writeFileSync(join(origin.path, "hooks/pre-receive"), `#!/bin/sh\necho "not with ${secret}" >&2; exit 1\n`, {
    mode: 0o755,
  });
  const error = ConnectError.from(
    await finish(server.client.push({ path: "work", credentials })).catch((e: unknown) => e),
  );
  expect(error.message).toContain("not with ***");
  await expectReason(server.client.push({ path: "work", credentials }), "PUSH_REJECTED");
  rmSync(join(origin.path, "hooks/pre-receive"));
  expect(findSecret(secret, [directory])).toEqual([]);
});

test("a redirect to another host does not bring it the credentials", async () => {
  const { https, server, url, credentials, secret } = await openPlace();
  const other = await openPlace();
  https.intercept = (request, response) => {
    if (request.headers.authorization === undefined) return false;
    response.writeHead(302, { location: `${other.https.origin}${request.url}` }).end();
    return true;
  };
  process.env["GIT_SSL_NO_VERIFY"] = "1";
  await expect(finish(server.client.cloneRepository({ url, credentials }))).rejects.toThrow();
  delete process.env["GIT_SSL_NO_VERIFY"];
  expect(JSON.stringify(other.https.requests)).not.toContain(Buffer.from(`user:${secret}`).toString("base64"));
});

test("credentials for another host are not sent to this one", async () => {
  const { https, server, url, secret, credentials } = await openPlace();
  const elsewhere = credentials.map((one) => ({ ...one, host: "git.example.com" }));
  await expectReason(server.client.cloneRepository({ url, credentials: elsewhere }), "AUTHENTICATION_FAILED");
  expect(https.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  const both = [...elsewhere, { ...credentials[0], host: https.host }];
  expect((await finish(server.client.cloneRepository({ url, credentials: both, path: "x" }))).result.branch).toBe(
    "main",
  );
  for (const host of ["a b", "host/path", "user@host", "ftp://host", "ssh://host"]) {
    const call = server.client.cloneRepository({ url, credentials: [{ ...credentials[0], host }], path: "y" });
    await expectReason(call, "INVALID_FIELD");
  }
  expect(secret).not.toBe("");
});

test("a password goes over http only where its host says so", async () => {
  const { https, server, url, credentials } = await openPlace({ cleartext: true });
  await expectReason(server.client.cloneRepository({ url, credentials }), "INVALID_FIELD");
  const bare = credentials.map((one) => ({ ...one, host: https.host }));
  await expectReason(server.client.cloneRepository({ url, credentials: bare }), "AUTHENTICATION_FAILED");
  const asked = credentials.map((one) => ({ ...one, host: https.origin }));
  expect((await finish(server.client.cloneRepository({ url, credentials: asked }))).result.branch).toBe("main");
});

test("a credential helper that stores, however closely it is configured, stores nothing and answers nothing", async () => {
  const { https, server, directory, url, secret, credentials } = await openPlace();
  const global = process.env["GIT_CONFIG_GLOBAL"] ?? "";
  const before = readFileSync(global, "utf8");
  const store = join(directory, "stored");
  const asked = join(directory, "asked");
  mkdirSync(asked);
  const spy = `!f() { touch '${asked}/'"$1"; }; f`;
  for (const key of ["credential.helper", `credential.${https.origin}.helper`, `credential.${url}.helper`]) {
    execFileSync("git", ["config", "--global", "--add", key, `store --file=${store}`]);
    execFileSync("git", ["config", "--global", "--add", key, spy]);
  }
  try {
    await finish(server.client.cloneRepository({ url, credentials, path: "work" }));
    await finish(server.client.fetch({ path: "work", credentials }));
  } finally {
    writeFileSync(global, before);
  }
  expect(readdirSync(asked)).toEqual([]);
  expect(findSecret(secret, [directory])).toEqual([]);
});

test("the user name of a URL is used and does not stay in the configuration", async () => {
  const { https, server, directory, credentials } = await openPlace();
  https.user = "somebody";
  const url = `https://somebody@${https.host}/repo.git`;
  const unnamed = credentials.map(({ secret }) => ({
    secret: { ...secret, value: { ...secret.value, username: "" } },
  }));
  await finish(server.client.cloneRepository({ url, credentials: unnamed, path: "work" }));
  expect(openRepository(join(directory, "work")).git("remote", "get-url", "origin")).toBe(`${https.origin}/repo.git`);
  https.user = "x-access-token";
  await finish(server.client.fetch({ path: "work", credentials: unnamed }));
});

test("a certificate that nobody vouches for, a server that is not there and one that fails are unreachable", async () => {
  const { https, server, url, credentials } = await openPlace();
  const trusted = process.env["GIT_SSL_CAINFO"];
  delete process.env["GIT_SSL_CAINFO"];
  await expectReason(server.client.cloneRepository({ url, credentials }), "REMOTE_UNREACHABLE");
  process.env["GIT_SSL_CAINFO"] = trusted;
  const nobody = server.client.cloneRepository({ url: "https://127.0.0.1:9/repo.git" });
  expect((await expectReason(nobody, "REMOTE_UNREACHABLE")).retryable).toBe(true);
  await expectReason(
    server.client.cloneRepository({ url: `${https.origin}/none.git`, credentials }),
    "REMOTE_NOT_FOUND",
  );
  https.intercept = (_, response) => {
    response.writeHead(503).end();
    return true;
  };
  await expectReason(server.client.cloneRepository({ url, credentials }), "REMOTE_UNREACHABLE");
});

test("a cut leaves the clone running, and the same request id joins it and never starts a second one", async () => {
  const { https, server, directory, url, credentials } = await openPlace();
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  https.hold = (request) => {
    if (request.method === "POST") reached.resolve();
    return request.method === "POST" ? go.promise : Promise.resolve();
  };
  const cut = new AbortController();
  const request = { url, path: "work", credentials, requestId: "the-clone" };
  const first = finish(server.client.cloneRepository(request, { signal: cut.signal })).catch((error: unknown) => error);
  await reached.promise;
  cut.abort();
  await first;
  const joined = finish(server.client.cloneRepository({ ...request, credentials: [] }));
  await expectReason(server.client.cloneRepository({ ...request, depth: 1 }), "REQUEST_ID_CONFLICT");
  go.resolve();
  const { started, result } = await joined;
  expect([started.disposition, result.path]).toEqual([2, join(directory, "work")]);
  const again = await finish(server.client.cloneRepository(request));
  expect([again.started.disposition, again.result]).toEqual([2, result]);
  expect(https.requests.filter(({ url }) => url.includes("info/refs")).length).toBe(2);
});

test("cancelling and a time limit end git with all it started, and leave nothing behind", async () => {
  const { https, server, directory, url, credentials, secret } = await openPlace();
  const reached = Promise.withResolvers<void>();
  https.intercept = (request) => {
    if (request.method !== "POST") return false;
    reached.resolve();
    return true;
  };
  const cloning = expectReason(
    server.client.cloneRepository({ url, path: "a/work", credentials, requestId: "long" }),
    "OPERATION_CANCELLED",
  );
  await reached.promise;
  expect(execFileSync("pgrep", ["-f", `remote-https.*${https.host}`], { encoding: "utf8" })).not.toBe("");
  expect((await server.client.cancelOperation({ requestId: "long" })).cancelled).toBe(true);
  expect(() => execFileSync("pgrep", ["-f", `remote-https.*${https.host}`])).toThrow();
  await cloning;
  expect((await server.client.cancelOperation({ requestId: "long" })).cancelled).toBe(false);
  await expectReason(server.client.cancelOperation({ requestId: "unknown" }), "OPERATION_NOT_FOUND");
  await expectReason(server.client.cancelOperation({}), "MISSING_FIELD");
  const timeout = { seconds: 0n, nanos: 500_000_000 };
  await expectReason(server.client.cloneRepository({ url, path: "b", credentials, timeout }), "GIT_TIMED_OUT");
  expect(readdirSync(directory)).toEqual([]);
  expect(() => execFileSync("pgrep", ["-f", `remote-https.*${https.host}`])).toThrow();
  expect(findSecret(secret, [directory])).toEqual([]);
});

test("of two clones into one directory one is refused, and does the other no harm", async () => {
  const { server, directory, url, credentials } = await openPlace();
  const clone = (): Promise<unknown> => finish(server.client.cloneRepository({ url, path: "work", credentials }));
  const outcomes = await Promise.allSettled([clone(), clone(), clone()]);
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected", "rejected"]);
  expect(openRepository(join(directory, "work")).git("status", "--porcelain")).toBe("");
  await expectReason(server.client.cloneRepository({ url, path: "work", credentials }), "FILE_EXISTS");
});

test("the server's stop ends a running clone, and says so", async () => {
  const { https, server, url, credentials } = await openPlace();
  const reached = Promise.withResolvers<void>();
  https.intercept = (request) => {
    if (request.method === "POST") reached.resolve();
    return request.method === "POST";
  };
  const cloning = expectReason(server.client.cloneRepository({ url, credentials }), "SERVER_STOPPING");
  await reached.promise;
  await server.git.stop();
  await cloning;
  await expectReason(server.client.cloneRepository({ url, credentials }), "SERVER_STOPPING");
  await expectReason(server.client.commit({ message: "x" }), "SERVER_STOPPING");
});

test("submodules on the same host come with the same credentials", async () => {
  const { https, server, directory, origin, url, credentials } = await openPlace();
  const seed = makeRepository(join(temporaryDirectory(), "with-module"));
  seed.git("pull", "-q", origin.path, "main");
  seed.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", origin.path, "module");
  seed.git("config", "-f", ".gitmodules", "submodule.module.url", `${https.origin}/repo.git`);
  seed.commit();
  seed.git("push", "-q", origin.path, "HEAD:with-module");
  const request = { url, path: "work", revision: "with-module", recurseSubmodules: true, credentials };
  await finish(server.client.cloneRepository(request));
  expect(readFileSync(join(directory, "work/module/file7"), "utf8")).toBe("7");
});
