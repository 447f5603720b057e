import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { AbortError, InstanceChanged, type GitProgress } from "../../../client/src/index.ts";
import { startServer } from "../../../server/src/index.ts";
import { serveGitHttps, type GitHttpsServer } from "../../helpers/git-https.ts";
import { startProxy, type Proxy } from "../../helpers/proxy.ts";
import { makeRepository, temporaryDirectory, type Repository } from "../../helpers/repositories.ts";
import { findSecret } from "../../helpers/secret-search.ts";
import { patient } from "../../helpers/time.ts";
import { connect } from "../../helpers/workspaces.ts";

const apiKey = "a-key-for-tests-that-is-long-enough";
const password = ["git", process.pid, "token", Date.now()].join("-");

interface Place {
  readonly workspace: Awaited<ReturnType<typeof connect>>;
  readonly proxy: Proxy;
  readonly https: GitHttpsServer;
  readonly directory: string;
  readonly origin: Repository;
  readonly url: string;
}

/** A workspace behind a proxy, and a repository on a git server of its own. */
async function openPlace(): Promise<Place> {
  const root = temporaryDirectory();
  const origin = makeRepository(join(root, "repo.git"), "--bare");
  origin.git("config", "http.receivepack", "true");
  const seed = makeRepository(join(root, "seed"));
  for (let index = 0; index < 50; index++) seed.write(`file${index}`, `${index}`);
  seed.commit();
  seed.git("push", "-q", origin.path, "main");
  const https = await serveGitHttps({ root, password });
  const directory = temporaryDirectory();
  const server = await startServer({ port: 0, workingDirectory: directory, apiKeys: [apiKey] });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const proxy = await startProxy({ target: server.url });
  onTestFinished(() => proxy.close());
  const workspace = await connect({ host: proxy.url, apiKey });
  return { workspace, proxy, https, directory, origin, url: `${https.origin}/repo.git` };
}

/** Holds the first upload of objects until it is let go. */
function holdPost(https: GitHttpsServer): { reached: Promise<void>; release: () => void } {
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  https.hold = (request) => {
    if (request.method !== "POST") return Promise.resolve();
    reached.resolve();
    return go.promise;
  };
  return { reached: reached.promise, release: go.resolve };
}

test("a clone goes on over a cut, is not made twice, and tells its progress", async () => {
  const { workspace, proxy, https, directory, url } = await openPlace();
  const { reached, release } = holdPost(https);
  const seen: GitProgress[] = [];
  const options = {
    username: "user",
    token: password,
    path: "work",
    onProgress: (step: GitProgress) => void seen.push(step),
  };
  const cloning = workspace.git.cloneRepository(url, options);
  await reached;
  proxy.cut();
  await expect.poll(() => proxy.connections, patient).toBeGreaterThan(1);
  release();
  expect(await cloning).toMatchObject({ path: join(directory, "work"), branch: "main" });
  expect(https.requests.filter(({ url }) => url.includes("info/refs")).length).toBe(2);
  expect(seen.at(-1)?.phase).not.toBe("");
  expect(findSecret(password, [directory])).toEqual([]);
});

test("a push over a line that is cut again and again is made once", async () => {
  const { workspace, proxy, https, directory, origin, url } = await openPlace();
  await workspace.git.cloneRepository(url, { username: "user", token: password, path: "work" });
  const who = { name: "Ann", email: "ann@example.com" };
  const { sha } = await workspace.git.commit("once", { path: "work", allowEmpty: true, author: who });
  const { reached, release } = holdPost(https);
  const pushing = workspace.git.push({ path: "work", username: "user", token: password });
  await reached;
  for (let cuts = 0; cuts < 3; cuts++) {
    const before = proxy.connections;
    proxy.cut();
    await expect.poll(() => proxy.connections, patient).toBeGreaterThan(before);
  }
  release();
  expect(await pushing).toMatchObject([{ refName: "refs/heads/main", newId: sha }]);
  expect(origin.git("rev-parse", "main")).toBe(sha);
  expect(https.requests.filter(({ url }) => url.endsWith("git-receive-pack") && !url.includes("?")).length).toBe(1);
  expect(readdirSync(directory)).toEqual(["work"]);
});

test("aborting a clone ends git in the workspace and leaves nothing", async () => {
  const { workspace, https, directory, url } = await openPlace();
  const { reached, release } = holdPost(https);
  const stop = new AbortController();
  const options = { username: "user", token: password, path: "deep/work", signal: stop.signal };
  const cloning = workspace.git.cloneRepository(url, options).catch((error: unknown) => error);
  await reached;
  stop.abort("enough");
  const error = await cloning;
  expect(error).toBeInstanceOf(AbortError);
  expect((error as AbortError).cause).toBe("enough");
  expect(() => execFileSync("pgrep", ["-f", `remote-https.*${https.host}`])).toThrow();
  expect(existsSync(join(directory, "deep"))).toBe(false);
  release();
});

test("a clone whose server was replaced is not begun again on the new one", async () => {
  const { workspace, proxy, https, url } = await openPlace();
  const { reached, release } = holdPost(https);
  const cloning = workspace.git
    .cloneRepository(url, { username: "user", token: password, path: "work" })
    .catch((error: unknown) => error);
  await reached;
  const elsewhere = temporaryDirectory();
  const other = await startServer({ port: 0, workingDirectory: elsewhere, apiKeys: [apiKey] });
  onTestFinished(() => other.close({ graceMs: 0 }));
  proxy.switchTo(other.url);
  expect(InstanceChanged.is(await cloning)).toBe(true);
  expect(readdirSync(elsewhere)).toEqual([]);
  release();
});

test("changes over a line that cuts at random bytes are whole", async () => {
  const { workspace, proxy, directory } = await openPlace();
  const repository = makeRepository(join(directory, "many"));
  for (let index = 0; index < 3_000; index++) repository.write(`dir/${index}`, "1");
  let cutAfter = 20_000;
  proxy.set({ cutAfterBytes: () => (cutAfter += 7_919) });
  proxy.cut();
  const changes = await workspace.gitChanges("many");
  expect(changes.length).toBe(3_000);
  expect(proxy.cuts).toBeGreaterThan(1);
});
