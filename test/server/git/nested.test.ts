import { chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { changeLines, changesOf, openGitServer, sidesOf } from "../../helpers/git-server.ts";
import { makeRepository, temporaryDirectory, type Repository } from "../../helpers/repositories.ts";

function repositoryWithChange(path: string): Repository {
  const repository = makeRepository(path);
  repository.write("tracked", "1");
  repository.commit();
  repository.write("tracked", "2");
  repository.write("new", "1");
  return repository;
}

test("a nested repository has its changes listed, and hides nothing whose name begins like its own", async () => {
  const outer = makeRepository();
  outer.write("foobar.txt", "1");
  outer.write("foo.txt", "1");
  outer.commit();
  outer.write("foobar.txt", "2");
  outer.write("foo-new", "1");
  repositoryWithChange(join(outer.path, "foo"));
  const server = await openGitServer(outer.path);
  expect(await changesOf(server)).toEqual([
    "ADDED foo-new",
    "ADDED foo/new",
    "UPDATED foo/tracked",
    "UPDATED foobar.txt",
  ]);
});

test("nested repositories are found at any depth, within each other, and where they are ignored one level down", async () => {
  const outer = makeRepository();
  outer.write(".gitignore", "/ignored\n");
  outer.commit();
  repositoryWithChange(join(outer.path, "ignored"));
  repositoryWithChange(join(outer.path, ".hidden"));
  const deep = repositoryWithChange(join(outer.path, "a/b/deep"));
  repositoryWithChange(join(deep.path, "deeper"));
  const server = await openGitServer(outer.path);
  const below = (name: string): string[] => [`ADDED ${name}/new`, `UPDATED ${name}/tracked`];
  expect(await changesOf(server)).toEqual(
    [...below(".hidden"), ...below("a/b/deep/deeper"), ...below("a/b/deep"), ...below("ignored")].toSorted(
      (one, other) => (one.split(" ")[1] ?? "").localeCompare(other.split(" ")[1] ?? "", "en", { numeric: false }),
    ),
  );
  const { changes, comparisons } = await server.client.listChanges({ withoutNested: true });
  expect(changes).toEqual([]);
  expect(comparisons.length).toBe(1);
});

test("a directory of repositories that is none itself lists theirs", async () => {
  const directory = temporaryDirectory();
  repositoryWithChange(join(directory, "one"));
  repositoryWithChange(join(directory, "two"));
  writeFileSync(join(directory, "loose"), "");
  const server = await openGitServer(directory);
  expect(await changesOf(server)).toEqual([
    "ADDED one/new",
    "UPDATED one/tracked",
    "ADDED two/new",
    "UPDATED two/tracked",
  ]);
  const { comparisons } = await server.client.listChanges({});
  expect(comparisons.map(({ path }) => path)).toEqual(["one", "two"]);
  await expectReason(server.client.listChanges({ withoutNested: true }), "NOT_A_REPOSITORY");
});

test("a repository without a commit and one without a file are nested like others", async () => {
  const outer = makeRepository();
  outer.commit();
  makeRepository(join(outer.path, "empty"));
  const unborn = makeRepository(join(outer.path, "unborn"));
  unborn.write("a", "1");
  const server = await openGitServer(outer.path);
  expect(await changesOf(server)).toEqual(["ADDED unborn/a"]);
});

test("a broken nested repository is passed over and named, and its files are told as the outer one sees them", async () => {
  const outer = makeRepository();
  outer.commit();
  mkdirSync(join(outer.path, "broken/.git"), { recursive: true });
  writeFileSync(join(outer.path, "broken/file"), "1");
  mkdirSync(join(outer.path, "dangling"));
  writeFileSync(join(outer.path, "dangling/.git"), "gitdir: /nowhere\n");
  repositoryWithChange(join(outer.path, "whole"));
  const { client } = await openGitServer(outer.path);
  const answer = await client.listChanges({});
  expect(changeLines(answer)).toContain("UPDATED whole/tracked");
  expect(changeLines(answer)).toContain("ADDED broken/file");
  const problems = answer.comparisons.filter(({ problem }) => problem !== "").map(({ path }) => path);
  expect(problems).toEqual(["broken", "dangling"]);
});

test("a submodule tells its moved commit and its own changes", async () => {
  const library = makeRepository(join(temporaryDirectory(), "library"));
  library.write("code", "1");
  library.commit();
  const outer = makeRepository();
  outer.git("submodule", "add", "-q", library.path, "vendor/deep/library");
  outer.commit();
  const inside = join(outer.path, "vendor/deep/library");
  const server = await openGitServer(outer.path);
  expect(await changesOf(server)).toEqual([]);
  writeFileSync(join(inside, "code"), "2");
  expect(await changesOf(server)).toEqual(["UPDATED vendor/deep/library/code"]);
  expect(await changesOf(server, "vendor")).toEqual(["UPDATED deep/library/code"]);
  const before = outer.git("-C", inside, "rev-parse", "HEAD");
  outer.git("-C", inside, "commit", "-q", "-a", "-m", "moved");
  const now = outer.git("-C", inside, "rev-parse", "HEAD");
  expect(await changesOf(server)).toEqual(["UPDATED vendor/deep/library", "UPDATED vendor/deep/library/code"]);
  expect(await sidesOf(server, "vendor/deep/library")).toEqual({
    status: "UPDATED",
    original: `Subproject commit ${before}\n`,
    modified: `Subproject commit ${now}\n`,
  });
});

test("a submodule that was renamed, is new or is gone has a diff like any other change", async () => {
  const library = makeRepository(join(temporaryDirectory(), "library"));
  library.write("code", "1");
  const line = `Subproject commit ${library.commit()}\n`;
  const outer = makeRepository();
  outer.git("submodule", "add", "-q", library.path, "old name");
  outer.commit();
  outer.git("mv", "old name", "new");
  outer.git("submodule", "add", "-q", "--name", "other", library.path, "other");
  const server = await openGitServer(outer.path);
  const moved = { status: "MOVED", original: line, modified: line };
  expect(await changesOf(server)).toEqual(["UPDATED .gitmodules", "MOVED old name -> new", "ADDED other"]);
  expect(await sidesOf(server, "new")).toEqual(moved);
  expect(await sidesOf(server, "other")).toEqual({ status: "ADDED", original: undefined, modified: line });
  outer.git("commit", "-q", "-m", "moved");
  expect(await sidesOf(server, "new", { commit: "HEAD" })).toEqual(moved);
  outer.git("rm", "-q", "-f", "new");
  expect(await sidesOf(server, "new")).toEqual({ status: "DELETED", original: line, modified: undefined });
});

test("links and a .gitmodules that leads out bring nothing in", async () => {
  const elsewhere = repositoryWithChange(join(temporaryDirectory(), "elsewhere"));
  const outer = makeRepository();
  outer.commit();
  symlinkSync(elsewhere.path, join(outer.path, "link"));
  symlinkSync(".", join(outer.path, "loop"));
  outer.write(".gitmodules", '[submodule "x"]\n\tpath = ../elsewhere\n[submodule "y"]\n\tpath = loop\n');
  const server = await openGitServer(outer.path);
  expect(await changesOf(server)).toEqual(["ADDED .gitmodules", "ADDED link", "ADDED loop"]);
});

test("a base ref holds for a nested repository that has it; another chooses its own", async () => {
  const outer = makeRepository();
  outer.commit();
  const nested = makeRepository(join(outer.path, "nested"));
  nested.write("a", "1");
  nested.commit();
  outer.git("tag", "mark");
  nested.git("tag", "mark");
  nested.write("a", "2");
  nested.commit();
  const other = makeRepository(join(outer.path, "other"));
  other.write("b", "1");
  other.commit();
  const server = await openGitServer(outer.path);
  expect(await changesOf(server)).toEqual([]);
  expect(await changesOf(server, "", "mark")).toEqual(["UPDATED nested/a"]);
});

test("a repository that belongs to another user is read and worked on without anybody's configuration being touched", async ({
  skip,
}) => {
  if (process.getuid?.() !== 0) return skip("only root can give a directory away");
  const repository = makeRepository();
  repository.write("a", "1");
  repository.commit();
  repository.write("a", "2");
  for (const name of ["", ".git"]) chownSync(join(repository.path, name), 4321, 4321);
  // The control: git by itself refuses. The files of root are not enough for it.
  expect(() => repository.git("status")).toThrow(/dubious ownership/);
  const server = await openGitServer(repository.path);
  expect(await changesOf(server)).toEqual(["UPDATED a"]);
  expect(await sidesOf(server, "a")).toMatchObject({ original: "1", modified: "2" });
  expect((await server.client.getStatus({})).branch).toBe("main");
  expect((await server.client.listCommits({})).commits.length).toBe(1);
  await server.client.commit({ message: "ours", stageAll: true });
  await server.client.checkout({ newBranch: "side" });
  expect((await server.client.listBranches({})).branches.map(({ name }) => name)).toEqual(["main", "side"]);
  expect(() => repository.git("status")).toThrow(/dubious ownership/);
});

test("a repository that is renamed between two looks is found under its new name", async () => {
  const directory = temporaryDirectory();
  repositoryWithChange(join(directory, "one"));
  const server = await openGitServer(directory);
  expect((await changesOf(server)).length).toBe(2);
  renameSync(join(directory, "one"), join(directory, "two"));
  expect(await changesOf(server, "two")).toEqual(["ADDED new", "UPDATED tracked"]);
});
