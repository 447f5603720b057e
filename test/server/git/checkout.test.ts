import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { openGitServer } from "../../helpers/git-server.ts";
import { makeRepository } from "../../helpers/repositories.ts";

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
