import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { finish } from "../../helpers/git-operations.ts";
import { openGitServer } from "../../helpers/git-server.ts";
import { cloneOf, makeRepository, temporaryDirectory } from "../../helpers/repositories.ts";

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

test("a refusal tells git's reason and neither the remote's progress nor hints", async () => {
  const origin = makeRepository();
  origin.commit();
  const clone = cloneOf(origin);
  for (const repository of [origin, clone]) {
    repository.write("a", String(Math.random()));
    repository.commit();
  }
  const { client } = await openGitServer(clone.path);
  await expect(finish(client.pull({}))).rejects.toThrow(/: fatal: Not possible to fast-forward, aborting\.$/);
  clone.write("a", "2");
  await expect(client.commit({ message: "x" })).rejects.toThrow(/^(?!.*\(use "git (?:add|restore) <file>)/);
  await expectReason(client.getDiff({ path: ".git/HEAD" }), "BARE_REPOSITORY");
});
