import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GitPullStrategy, GitPushForce } from "@yonder/proto";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { finish } from "../../helpers/git-operations.ts";
import { openGitServer } from "../../helpers/git-server.ts";
import { cloneOf, makeRepository } from "../../helpers/repositories.ts";

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
