import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { changesOf, choiceOf, openGitServer, sidesOf } from "../../helpers/git-server.ts";
import { cloneOf, makeRepository, temporaryDirectory, type Repository } from "../../helpers/repositories.ts";

/** A repository with a commit, and a clone of it on a branch of its own with one more. */
function originAndFeature(): { origin: Repository; clone: Repository } {
  const origin = makeRepository();
  origin.write("base", "1");
  origin.commit();
  const clone = cloneOf(origin);
  clone.git("checkout", "-q", "-b", "feature");
  clone.write("work", "1");
  clone.commit();
  return { origin, clone };
}

test("without a commit the base is the empty tree, whatever origin has", async () => {
  const origin = makeRepository();
  origin.commit();
  const repository = makeRepository(join(temporaryDirectory(), "unborn"));
  repository.git("remote", "add", "origin", origin.path);
  repository.git("fetch", "-q");
  repository.write("a", "1");
  const server = await openGitServer(repository.path);
  expect(await choiceOf(server)).toBe("EMPTY");
  expect(await changesOf(server)).toEqual(["ADDED a"]);
});

test("the current branch as last seen at origin is the base where it is another commit", async () => {
  const { clone } = originAndFeature();
  clone.git("push", "-q", "origin", "feature");
  clone.write("more", "1");
  clone.commit();
  const server = await openGitServer(clone.path);
  expect(await choiceOf(server)).toBe("REMOTE_BRANCH");
  expect(await changesOf(server)).toEqual(["ADDED more"]);
});

test("a pushed branch is compared with where it left origin's default as long as nothing differs from it", async () => {
  const { clone } = originAndFeature();
  clone.git("push", "-q", "origin", "feature");
  const server = await openGitServer(clone.path);
  expect(await choiceOf(server)).toBe("REMOTE_FORK_POINT");
  expect(await changesOf(server)).toEqual(["ADDED work"]);
  clone.write("untracked", "1");
  expect(await choiceOf(server)).toBe("REMOTE_FORK_POINT");
  clone.write("base", "2");
  expect(await choiceOf(server)).toBe("REMOTE_BRANCH");
  expect(await changesOf(server)).toEqual(["UPDATED base", "ADDED untracked"]);
  expect((await sidesOf(server, "work")).status).toBe("UNCHANGED");
});

test("whether anything differs is asked of the whole repository, from a directory of it too", async () => {
  const { clone } = originAndFeature();
  clone.write("sub/a", "1");
  clone.commit();
  clone.git("push", "-q", "origin", "feature");
  const server = await openGitServer(clone.path);
  expect(await changesOf(server, "sub")).toEqual(["ADDED a"]);
  clone.write("base", "2");
  expect(await changesOf(server, "sub")).toEqual([]);
});

test("a branch that origin does not have is compared with where it left origin's default branch", async () => {
  const { origin, clone } = originAndFeature();
  origin.write("later", "1");
  origin.commit();
  clone.git("fetch", "-q");
  const server = await openGitServer(clone.path);
  expect(await choiceOf(server)).toBe("REMOTE_FORK_POINT");
  expect(await changesOf(server)).toEqual(["ADDED work"]);
});

test("origin's default is what is known here: main, master or its only branch", async () => {
  const { clone } = originAndFeature();
  const server = await openGitServer(clone.path);
  clone.git("remote", "set-head", "origin", "--delete");
  expect(await changesOf(server)).toEqual(["ADDED work"]);
  for (const name of ["master", "trunk"]) {
    const known = clone.git("for-each-ref", "--format=%(refname)", "refs/remotes/origin");
    clone.git("update-ref", `refs/remotes/origin/${name}`, known);
    clone.git("update-ref", "-d", known);
    expect([name, await choiceOf(server)]).toEqual([name, "REMOTE_FORK_POINT"]);
  }
});

test("a history that has nothing in common with origin's is compared with origin's default itself", async () => {
  const { clone } = originAndFeature();
  clone.git("checkout", "-q", "--orphan", "other");
  clone.commit();
  const server = await openGitServer(clone.path);
  expect(await choiceOf(server)).toBe("REMOTE_DEFAULT");
});

test("without an origin the local main is the base of a branch that goes on from it", async () => {
  const repository = makeRepository();
  repository.write("base", "1");
  repository.commit();
  const server = await openGitServer(repository.path);
  expect(await choiceOf(server)).toBe("HEAD");
  repository.git("checkout", "-q", "-b", "feature");
  repository.write("work", "1");
  repository.commit();
  expect(await choiceOf(server)).toBe("LOCAL_DEFAULT");
  expect(await changesOf(server)).toEqual(["ADDED work"]);
  repository.git("branch", "-m", "main", "master");
  expect(await choiceOf(server)).toBe("LOCAL_DEFAULT");
  // A master that has gone on is no ancestor any more.
  repository.git("checkout", "-q", "master");
  repository.write("later", "1");
  repository.commit();
  repository.git("checkout", "-q", "feature");
  expect(await choiceOf(server)).toBe("HEAD");
});

test("a detached HEAD is compared with where it left origin's default", async () => {
  const { clone } = originAndFeature();
  clone.git("checkout", "-q", "--detach");
  const server = await openGitServer(clone.path);
  expect(await choiceOf(server)).toBe("REMOTE_FORK_POINT");
  expect(await changesOf(server)).toEqual(["ADDED work"]);
  clone.git("remote", "remove", "origin");
  expect(await choiceOf(server)).toBe("LOCAL_DEFAULT");
});

test("no read reaches for the network", async () => {
  const { clone } = originAndFeature();
  clone.git("remote", "set-head", "origin", "--delete");
  clone.git("remote", "set-url", "origin", "ssh://host.invalid/repository");
  const bin = temporaryDirectory();
  const log = join(bin, "log");
  for (const program of ["ssh", "git-remote-https"]) {
    writeFileSync(join(bin, program), `#!/bin/sh\necho ${program} >> '${log}'\nexit 1\n`);
    chmodSync(join(bin, program), 0o755);
  }
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = `${bin}${delimiter}${before}`;
  try {
    const server = await openGitServer(clone.path);
    expect(await changesOf(server)).toEqual(["ADDED work"]);
    await server.client.getStatus({});
    await server.client.listBranches({ includeRemote: true });
    expect(() => clone.git("ls-remote", "origin")).toThrow();
  } finally {
    process.env["PATH"] = before;
  }
  // The control, and nothing before it.
  expect(readFileSync(log, "utf8")).toBe("ssh\n");
});
