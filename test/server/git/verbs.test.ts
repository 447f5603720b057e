import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { GitPullStrategy, GitPushForce } from "@yonder/proto";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { finish } from "../../helpers/git-operations.ts";
import { changesOf, openGitServer } from "../../helpers/git-server.ts";
import { cloneOf, makeRepository, openRepository, temporaryDirectory } from "../../helpers/repositories.ts";

test("a commit stages what it is told, and nothing else", async () => {
  const odd = Buffer.from("odd \xff\n*", "latin1");
  const repository = makeRepository();
  for (const name of ["changed", "gone", "left"]) repository.write(name, "1");
  repository.commit();
  repository.write("changed", "2");
  repository.write("left", "2");
  repository.remove("gone");
  repository.write("new", "1");
  repository.write(odd, "1");
  const server = await openGitServer(repository.path);
  const { commit, branch } = await server.client.commit({
    message: "\n\nSubject\n\n  Body # kept\n\n\nend\n\n",
    paths: [{ path: "changed" }, { path: "gone" }, { path: "new" }, { rawPath: odd }],
  });
  expect(branch).toBe("main");
  expect(commit).toMatchObject({ commitId: repository.git("rev-parse", "HEAD"), subject: "Subject" });
  expect(repository.raw("log", "-1", "--format=%B").toString()).toBe("Subject\n\n  Body # kept\n\n\nend\n\n");
  expect(repository.git("show", "--name-only", "--no-renames", "--format=", "-z").split("\0").length).toBe(5);
  expect(await changesOf(server)).toEqual(["UPDATED left"]);
});

test("a commit of everything, of nothing, empty and amended", async () => {
  const repository = makeRepository();
  repository.write("a", "1");
  const { client } = await openGitServer(repository.path);
  await client.commit({ message: "all", stageAll: true });
  await expectReason(client.commit({ message: "nothing" }), "NOTHING_TO_COMMIT");
  repository.write("untracked", "1");
  await expectReason(client.commit({ message: "nothing staged" }), "NOTHING_TO_COMMIT");
  await client.commit({ message: "empty", allowEmpty: true });
  const person = { name: "Ann Other", email: "ann@example.com", time: timestampFromMs(1_700_000_000_000) };
  await expectReason(client.commit({ amend: true }), "NOTHING_TO_COMMIT");
  await client.commit({ amend: true, allowEmpty: true, author: person });
  expect(repository.git("log", "-1", "--format=%s|%an|%ae|%at")).toBe("empty|Ann Other|ann@example.com|1700000000");
  await client.commit({ amend: true, allowEmpty: true, message: "renamed" });
  expect(repository.git("log", "--format=%s")).toBe("renamed\nall");
  await expectReason(client.commit({ message: " \n" }), "MISSING_FIELD");
  await expectReason(client.commit({ message: "x", paths: [{ path: "nowhere" }] }), "FILE_NOT_FOUND");
  await expectReason(client.commit({ message: "x", paths: [{ path: "a" }], stageAll: true }), "INVALID_FIELD");
  await expectReason(client.commit({ message: "x", author: { name: "a" } }), "MISSING_FIELD");
  await expectReason(client.commit({ message: "x", author: { name: "a", email: "x>\n" } }), "INVALID_FIELD");
});

test("without a configured identity the author commits, and without an author nobody does", async () => {
  const repository = makeRepository();
  repository.git("config", "user.name", "");
  repository.git("config", "user.useConfigOnly", "true");
  const { client } = await openGitServer(repository.path);
  await expectReason(client.commit({ message: "x", allowEmpty: true }), "GIT_IDENTITY_MISSING");
  const author = { name: "Ann", email: "ann@example.com" };
  const { commit } = await client.commit({ message: "x", allowEmpty: true, author });
  expect([commit?.author?.name, commit?.committer?.email]).toEqual(["Ann", "ann@example.com"]);
});

test("the same request id commits once, and another request under it is refused", async () => {
  const repository = makeRepository();
  repository.commit();
  const { client } = await openGitServer(repository.path);
  const request = { message: "once", allowEmpty: true, requestId: "r1" };
  const answers = await Promise.all([client.commit(request), client.commit(request), client.commit(request)]);
  expect(new Set(answers.map(({ commit }) => commit?.commitId)).size).toBe(1);
  expect(repository.git("rev-list", "--count", "HEAD")).toBe("2");
  await expectReason(client.commit({ ...request, message: "other" }), "REQUEST_ID_CONFLICT");
});

test("hooks run where they are asked for and nowhere else", async () => {
  const repository = makeRepository();
  const hook = join(repository.path, ".git/hooks/pre-commit");
  writeFileSync(hook, "#!/bin/sh\ntouch hooked\ncat\necho no >&2; exit 1\n", { mode: 0o755 });
  const { client } = await openGitServer(repository.path);
  await client.commit({ message: "x", allowEmpty: true });
  expect(existsSync(join(repository.path, "hooked"))).toBe(false);
  const failure = client.commit({ message: "x", allowEmpty: true, runHooks: true });
  await expectReason(failure, "GIT_FAILED");
  expect(existsSync(join(repository.path, "hooked"))).toBe(true);
});

test("a lock that is held is told with its path", async () => {
  const repository = makeRepository();
  repository.commit();
  writeFileSync(join(repository.path, ".git/index.lock"), "");
  const { client } = await openGitServer(repository.path);
  const detail = await expectReason(client.commit({ message: "x", stageAll: true, allowEmpty: true }), "GIT_LOCKED");
  expect(detail.subject).toBe(join(repository.path, ".git/index.lock"));
  expect(detail.retryable).toBe(true);
  await expectReason(client.checkout({ newBranch: "b", force: true, revision: "HEAD" }), "GIT_LOCKED");
});

test("a checkout moves to a branch, a tag, a commit and a new branch", async () => {
  const repository = makeRepository();
  repository.write("a", "1");
  const first = repository.commit();
  repository.git("tag", "v1");
  repository.write("a", "2");
  const second = repository.commit();
  const { client } = await openGitServer(repository.path);
  expect(await client.checkout({ revision: "v1" })).toMatchObject({ headId: first, branch: "" });
  expect(await client.checkout({ revision: "main" })).toMatchObject({ headId: second, branch: "main" });
  expect(await client.checkout({ newBranch: "side", revision: first })).toMatchObject({
    headId: first,
    branch: "side",
  });
  expect(await client.checkout({ revision: "main", detach: true })).toMatchObject({ headId: second, branch: "" });
  await expectReason(client.checkout({ newBranch: "side" }), "BRANCH_EXISTS");
  expect(await client.checkout({ newBranch: "side", force: true })).toMatchObject({ headId: second, branch: "side" });
  await expectReason(client.checkout({ revision: "nope" }), "REF_NOT_FOUND");
  await expectReason(client.checkout({ newBranch: "x", revision: "nope" }), "REF_NOT_FOUND");
  await expectReason(client.checkout({ revision: "--orphan" }), "INVALID_FIELD");
  await expectReason(client.checkout({}), "MISSING_FIELD");
});

test("a checkout that would overwrite files on disk names the first, and with force does", async () => {
  const repository = makeRepository();
  repository.write("a", "1");
  repository.commit();
  repository.git("checkout", "-q", "-b", "side");
  repository.write("a", "2");
  repository.commit();
  repository.write("a", "not committed");
  const { client } = await openGitServer(repository.path);
  expect((await expectReason(client.checkout({ revision: "main" }), "GIT_CONFLICT")).subject).toBe("a");
  await client.checkout({ revision: "main", force: true });
  expect(readFileSync(join(repository.path, "a"), "utf8")).toBe("1");
});

test("files come back from the index and from a commit", async () => {
  const repository = makeRepository();
  repository.write("a*", "1");
  repository.write("ab", "1");
  const first = repository.commit();
  repository.write("a*", "2");
  repository.write("ab", "2");
  repository.commit();
  repository.write("a*", "3");
  repository.write("ab", "3");
  const read = (name: string): string => readFileSync(join(repository.path, name), "utf8");
  const { client } = await openGitServer(repository.path);
  await client.checkout({ paths: [{ path: "a*" }] });
  expect([read("a*"), read("ab")]).toEqual(["2", "3"]);
  await client.checkout({ revision: first, paths: [{ path: "ab" }] });
  expect(read("ab")).toBe("1");
  await expectReason(client.checkout({ paths: [{ path: "none" }] }), "REF_NOT_FOUND");
  await expectReason(client.checkout({ paths: [{ path: "ab" }], newBranch: "x" }), "INVALID_FIELD");
});

test("a clone brings a branch, a tag or a commit, whole or shallow", async () => {
  const origin = makeRepository();
  origin.write("a", "1");
  const first = origin.commit();
  origin.git("tag", "v1");
  origin.write("a", "2");
  const second = origin.commit();
  origin.git("branch", "side", first);
  const directory = temporaryDirectory();
  const { client } = await openGitServer(directory);
  const url = `file://${origin.path}`;
  const clone = async (request: object): Promise<object> =>
    (await finish(client.cloneRepository({ url, ...request }))).result;
  expect(await clone({})).toMatchObject({ path: join(directory, "repository"), headId: second, branch: "main" });
  expect(await clone({ path: "deep/er/side", revision: "side" })).toMatchObject({ headId: first, branch: "side" });
  expect(await clone({ path: "tag", revision: "v1", depth: 1 })).toMatchObject({ headId: first, branch: "" });
  expect(await clone({ path: "short", revision: first.slice(0, 10) })).toMatchObject({ headId: first, branch: "" });
  expect(await clone({ path: "shallow", depth: 1 })).toMatchObject({ headId: second });
  expect(openRepository(join(directory, "shallow")).git("rev-list", "--count", "HEAD")).toBe("1");
  expect(openRepository(join(directory, "repository")).git("remote", "get-url", "origin")).toBe(url);
  const bytes = Buffer.from("n\xff", "latin1");
  expect(Buffer.from(((await clone({ rawPath: bytes })) as { rawPath: Uint8Array }).rawPath)).toEqual(
    Buffer.concat([Buffer.from(`${directory}/`), bytes]),
  );
  writeFileSync(join(directory, "file"), "");
  await expectReason(client.cloneRepository({ url, path: "repository" }), "FILE_EXISTS");
  await expectReason(client.cloneRepository({ url, path: "file" }), "FILE_EXISTS");
  await expectReason(client.cloneRepository({ url, path: "file/below" }), "FILE_EXISTS");
});

test("a clone tells its progress", async () => {
  const origin = makeRepository();
  for (let index = 0; index < 300; index++) origin.write(`file${index}`, `${index}`.repeat(100));
  origin.commit();
  const { client } = await openGitServer(temporaryDirectory());
  const { progress, started } = await finish(
    client.cloneRepository({ url: `file://${origin.path}`, requestId: "mine" }),
  );
  expect(started.requestId).toBe("mine");
  const received = progress.filter(({ phase }) => phase === "Receiving objects").at(-1);
  expect(received).toMatchObject({ done: 302n, total: 302n });
});

test("a clone that fails leaves nothing behind, and an empty directory as it was", async () => {
  const origin = makeRepository();
  origin.commit();
  const directory = temporaryDirectory();
  const { client } = await openGitServer(directory);
  const url = origin.path;
  await expectReason(client.cloneRepository({ url, path: "a/b/c", revision: "nope" }), "REF_NOT_FOUND");
  await expectReason(client.cloneRepository({ url: `${url}-none`, path: "a/b/c" }), "REMOTE_NOT_FOUND");
  await expectReason(client.cloneRepository({ url, path: "d", revision: "0123456789abcdef" }), "REF_NOT_FOUND");
  expect(readdirSync(directory)).toEqual([]);
  const kept = join(directory, "kept");
  makeRepository(join(kept, "x"));
  const empty = await openGitServer(temporaryDirectory());
  await expectReason(empty.client.cloneRepository({ url, path: ".", revision: "nope" }), "REF_NOT_FOUND");
  await finish(empty.client.cloneRepository({ url, path: "." }));
});

test("what git would take for an option, a helper or a password is refused before it is run", async () => {
  const directory = temporaryDirectory();
  const { client } = await openGitServer(directory);
  for (const url of [
    "--upload-pack=touch x",
    "ext::sh -c touch% x",
    "fd::17",
    "https://a:b@host/x",
    "ftp://host/x",
    "a\nb",
  ]) {
    await expectReason(client.cloneRepository({ url, path: "x" }), "INVALID_FIELD");
  }
  await expectReason(client.cloneRepository({ path: "x" }), "INVALID_FIELD");
  await expectReason(client.cloneRepository({ url: "/nowhere/x", revision: "-b" }), "INVALID_FIELD");
  expect(readdirSync(directory)).toEqual([]);
});

test("fetch tells what moved, prunes, deepens and names its remote", async () => {
  const origin = makeRepository();
  origin.commit();
  const first = origin.commit();
  origin.git("branch", "old");
  const clone = cloneOf(origin);
  const second = origin.commit();
  origin.git("branch", "-D", "old");
  origin.git("tag", "v1");
  const { client } = await openGitServer(clone.path);
  const { result } = await finish(client.fetch({ prune: true }));
  expect(result.updates).toMatchObject([
    { refName: "refs/remotes/origin/main", oldId: first, newId: second },
    { refName: "refs/remotes/origin/old", oldId: first, newId: "" },
    { refName: "refs/tags/v1", oldId: "", newId: second },
  ]);
  expect((await finish(client.fetch({}))).result.updates).toEqual([]);
  await finish(client.fetch({ refspecs: ["main:refs/heads/copy"] }));
  expect(clone.git("rev-parse", "copy")).toBe(second);
  await expectReason(client.fetch({ remote: "nope" }), "REMOTE_NOT_FOUND");
  await expectReason(client.fetch({ remote: origin.path }), "REMOTE_NOT_FOUND");
  await expectReason(client.fetch({ remote: "--upload-pack=x" }), "INVALID_FIELD");
  await expectReason(client.fetch({ refspecs: ["--force"] }), "INVALID_FIELD");
  await expectReason(client.fetch({ refspecs: ["nope"] }), "REF_NOT_FOUND");
  await expectReason(client.fetch({ depth: 1, unshallow: true }), "INVALID_FIELD");

  clone.git("remote", "set-url", "origin", `file://${origin.path}`);
  await finish(client.fetch({ depth: 1 }));
  expect(clone.git("rev-parse", "--is-shallow-repository")).toBe("true");
  await finish(client.fetch({ unshallow: true }));
  await finish(client.fetch({ unshallow: true }));
  expect(clone.git("rev-parse", "--is-shallow-repository")).toBe("false");
  clone.git("remote", "set-url", "origin", join(dirname(origin.path), "gone"));
  await expectReason(client.fetch({}), "REMOTE_NOT_FOUND");
});

test("pull goes forward, merges or rebases as it is told, and otherwise says that the two have diverged", async () => {
  const origin = makeRepository();
  origin.write("a", "1\n");
  origin.commit();
  const clone = cloneOf(origin);
  origin.write("a", "2\n");
  const theirs = origin.commit();
  const { client } = await openGitServer(clone.path);
  expect((await finish(client.pull({}))).result).toMatchObject({ headId: theirs, branch: "main" });
  const diverge = (): void => {
    origin.write("theirs", String(Math.random()));
    origin.commit();
    clone.write("ours", String(Math.random()));
    clone.commit();
  };
  diverge();
  await expectReason(client.pull({}), "GIT_CONFLICT");
  await finish(client.pull({ strategy: GitPullStrategy.MERGE }));
  expect(clone.git("rev-list", "--count", "--merges", "HEAD")).toBe("1");
  clone.git("reset", "-q", "--hard", "origin/main");
  diverge();
  await finish(client.pull({ strategy: GitPullStrategy.REBASE, remote: "origin", remoteBranch: "main" }));
  expect(clone.git("rev-list", "--count", "--merges", "HEAD")).toBe("0");
  await expectReason(client.pull({ remoteBranch: "main" }), "MISSING_FIELD");
  clone.git("checkout", "-q", "-b", "alone");
  await expectReason(client.pull({}), "REMOTE_NOT_FOUND");
});

test("a pull that conflicts leaves what there is to resolve", async () => {
  const origin = makeRepository();
  origin.write("a", "base\n");
  origin.commit();
  const clone = cloneOf(origin);
  origin.write("a", "theirs\n");
  origin.commit();
  clone.write("a", "ours\n");
  clone.commit();
  const { client } = await openGitServer(clone.path);
  await expectReason(client.pull({ strategy: GitPullStrategy.MERGE }), "GIT_CONFLICT");
  const { entries, underway } = await client.getStatus({});
  expect([underway, entries.map(({ path, conflicted }) => [path, conflicted])]).toEqual([1, [["a", true]]]);
  await expectReason(client.commit({ message: "x" }), "GIT_CONFLICT");
});

test("push brings a branch there, sets its upstream, deletes, and says why it was rejected", async () => {
  const origin = makeRepository(undefined, "--bare");
  const seed = cloneOf(origin, "seed");
  const first = seed.commit();
  seed.git("push", "-q", "origin", "main");
  const clone = cloneOf(origin);
  const second = clone.commit();
  const { client } = await openGitServer(clone.path);
  expect((await finish(client.push({}))).result.updates).toMatchObject([
    { refName: "refs/heads/main", oldId: first, newId: second },
  ]);
  expect((await finish(client.push({}))).result.updates).toEqual([]);
  clone.git("checkout", "-q", "-b", "feature");
  const { result } = await finish(client.push({ setUpstream: true }));
  expect(result.updates).toMatchObject([{ refName: "refs/heads/feature", oldId: "", newId: second }]);
  expect(clone.git("rev-parse", "--abbrev-ref", "@{upstream}")).toBe("origin/feature");
  expect((await finish(client.push({ refspecs: [":feature"] }))).result.updates).toMatchObject([
    { refName: "refs/heads/feature", newId: "" },
  ]);

  clone.git("checkout", "-q", "main");
  clone.git("reset", "-q", "--hard", first);
  const other = clone.commit("other");
  const detail = await expectReason(client.push({}), "PUSH_REJECTED");
  expect(detail.subject).toBe("refs/heads/main");
  await expectReason(client.push({ refspecs: ["+main"] }), "INVALID_FIELD");
  await expectReason(client.push({ refspecs: ["nope"] }), "REF_NOT_FOUND");
  await finish(client.push({ force: GitPushForce.WITH_LEASE }));
  expect(origin.git("rev-parse", "main")).toBe(other);
  seed.git("fetch", "-q");
  seed.git("reset", "-q", "--hard", "origin/main");
  const last = seed.commit("last");
  seed.git("push", "-q");
  clone.git("commit", "-q", "--amend", "--allow-empty", "-m", "amended");
  await expectReason(client.push({ force: GitPushForce.WITH_LEASE }), "PUSH_REJECTED");
  expect(origin.git("rev-parse", "main")).toBe(last);
  await finish(client.push({ force: GitPushForce.ALWAYS }));
  clone.git("checkout", "-q", "--detach");
  await expectReason(client.push({}), "GIT_FAILED");
});

test("a remote's own hook rejects with its words", async () => {
  const origin = makeRepository(undefined, "--bare");
  const clone = cloneOf(origin);
  clone.commit();
  writeFileSync(join(origin.path, "hooks/pre-receive"), "#!/bin/sh\necho 'main is protected' >&2; exit 1\n", {
    mode: 0o755,
  });
  const { client } = await openGitServer(clone.path);
  await expect(finish(client.push({}))).rejects.toThrow("main is protected");
  await expectReason(client.push({}), "PUSH_REJECTED");
});

test("acting calls refuse what is no repository, and another instance than the one that is meant", async () => {
  const directory = temporaryDirectory();
  const { client } = await openGitServer(directory);
  await expectReason(client.commit({ message: "x", allowEmpty: true }), "NOT_A_REPOSITORY");
  await expectReason(client.checkout({ revision: "x" }), "NOT_A_REPOSITORY");
  await expectReason(client.fetch({}), "NOT_A_REPOSITORY");
  await expectReason(client.pull({}), "NOT_A_REPOSITORY");
  await expectReason(client.push({}), "NOT_A_REPOSITORY");
  makeRepository(join(directory, "bare"), "--bare");
  await expectReason(client.commit({ path: "bare", message: "x", allowEmpty: true }), "BARE_REPOSITORY");
  await expectReason(client.checkout({ path: "bare", revision: "x" }), "BARE_REPOSITORY");
  const expectedInstanceId = "another";
  await expectReason(client.commit({ message: "x", expectedInstanceId }), "INSTANCE_CHANGED");
  await expectReason(client.cloneRepository({ url: "x", expectedInstanceId }), "INSTANCE_CHANGED");
  await expectReason(client.cancelOperation({ requestId: "x", expectedInstanceId }), "INSTANCE_CHANGED");
  expect(statSync(directory).isDirectory()).toBe(true);
});
