import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { changesOf, openGitServer } from "../../helpers/git-server.ts";
import { makeRepository } from "../../helpers/repositories.ts";

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
