import { chmodSync, mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { changeLines, changesOf, openGitServer } from "../../helpers/git-server.ts";
import { makeRepository, temporaryDirectory } from "../../helpers/repositories.ts";

test("added, deleted, updated, moved, type-changed and untracked files each have their status", async () => {
  const repository = makeRepository();
  for (const name of ["deleted", "updated", "moved", "typed", "same"])
    repository.write(name, `the content of ${name}\n`);
  repository.commit();
  repository.write("updated", "other");
  repository.remove("deleted");
  repository.git("mv", "moved", "dir-less");
  repository.remove("typed");
  symlinkSync("same", join(repository.path, "typed"));
  repository.write("staged", "1");
  repository.git("add", "staged");
  repository.write("new", "1");
  const server = await openGitServer(repository.path);
  expect(await changesOf(server)).toEqual([
    "DELETED deleted",
    "MOVED moved -> dir-less",
    "ADDED new",
    "ADDED staged",
    "TYPE_CHANGED typed",
    "UPDATED updated",
  ]);
  const { changes } = await server.client.listChanges({});
  expect(changes.filter(({ untracked }) => untracked).map(({ path }) => path)).toEqual(["new"]);
  expect(changes.find(({ path }) => path === "dir-less")).toMatchObject({ similarity: 100, oldMode: 0o100644 });
  expect(changes.find(({ path }) => path === "typed")).toMatchObject({ oldMode: 0o100644, newMode: 0o120000 });
});

test("names with blanks, quotes, newlines, accents and a leading dash are told as they are", async () => {
  const names = [" begins and ends ", '"quoted"', "-dash", "a\nb", "back\\slash", "tab\there", "é ü 漢", "*.txt"];
  const repository = makeRepository();
  for (const name of names) repository.write(name, "1\n");
  repository.commit();
  for (const name of names) repository.write(name, "2\n");
  for (const name of names) repository.write(`new ${name}`, "1\n");
  const server = await openGitServer(repository.path);
  const { changes } = await server.client.listChanges({});
  const expected = [...names, ...names.map((name) => `new ${name}`)];
  expect(changes.map(({ path }) => path).toSorted()).toEqual(expected.toSorted());
  expect(changes.every(({ rawPath }) => rawPath.length === 0)).toBe(true);
});

test("a name that is not UTF-8 comes byte for byte beside its text", async () => {
  const [tracked, fresh] = [Buffer.from("t\xff", "latin1"), Buffer.from("n\xfe", "latin1")];
  const repository = makeRepository();
  repository.write(tracked, "1");
  repository.commit();
  repository.write(tracked, "2");
  repository.write(fresh, "1");
  const { client } = await openGitServer(repository.path);
  const { changes } = await client.listChanges({});
  expect(changes.map(({ rawPath }) => Buffer.from(rawPath))).toEqual([fresh, tracked]);
  expect(changes.map(({ path }) => path)).toEqual(["n�", "t�"]);
});

test("a directory whose name is not UTF-8 is asked for by its bytes", async () => {
  const name = Buffer.from("d\xff", "latin1");
  const repository = makeRepository();
  repository.write(Buffer.concat([name, Buffer.from("/a")]), "1");
  repository.commit();
  repository.write(Buffer.concat([name, Buffer.from("/a")]), "2");
  const { client } = await openGitServer(repository.path);
  expect(changeLines(await client.listChanges({ rawPath: name }))).toEqual(["UPDATED a"]);
});

test("paths are relative to the directory that was asked for, and nothing outside of it is told", async () => {
  const repository = makeRepository();
  for (const name of ["top", "sub/tracked", "sub/deep/tracked", "subway/tracked"]) repository.write(name, "1");
  repository.commit();
  for (const name of ["top", "sub/tracked", "sub/deep/tracked", "subway/tracked"]) repository.write(name, "2");
  for (const name of ["other", "sub/new", "sub/deep/new"]) repository.write(name, "1");
  const server = await openGitServer(repository.path);
  expect(await changesOf(server, "sub")).toEqual([
    "ADDED deep/new",
    "UPDATED deep/tracked",
    "ADDED new",
    "UPDATED tracked",
  ]);
  expect(await changesOf(server, "sub/deep/..")).toEqual(await changesOf(server, "sub"));
  symlinkSync("sub", join(repository.path, "link"));
  expect(await changesOf(server, "link")).toEqual(await changesOf(server, "sub"));
});

test("a file that left the index but not the disk is one change", async () => {
  const repository = makeRepository();
  repository.write("kept", "1");
  repository.commit();
  repository.git("rm", "--quiet", "--cached", "kept");
  const server = await openGitServer(repository.path);
  const { changes } = await server.client.listChanges({});
  expect(changeLines({ changes })).toEqual(["UPDATED kept"]);
  expect(changes[0]?.untracked).toBe(true);
});

test("a changed mode is an update", async () => {
  const repository = makeRepository();
  repository.write("run", "#!/bin/sh\n");
  repository.commit();
  chmodSync(join(repository.path, "run"), 0o755);
  const { client } = await openGitServer(repository.path);
  const { changes } = await client.listChanges({});
  expect(changes).toMatchObject([{ path: "run", oldMode: 0o100644, newMode: 0o100755 }]);
});

test("files in conflict are told once, as such", async () => {
  const repository = makeRepository();
  repository.write("both", "base\n");
  repository.write("gone", "base\n");
  repository.commit();
  repository.git("checkout", "-q", "-b", "side");
  repository.write("both", "theirs\n");
  repository.write("gone", "theirs\n");
  repository.commit();
  repository.git("checkout", "-q", "main");
  repository.write("both", "ours\n");
  repository.git("rm", "-q", "gone");
  repository.commit();
  expect(() => repository.git("merge", "side")).toThrow();
  const { client } = await openGitServer(repository.path);
  const { changes } = await client.listChanges({ baseRef: "HEAD" });
  expect(changeLines({ changes })).toEqual(["UPDATED both", "ADDED gone"]);
  expect(changes.every(({ conflicted }) => conflicted)).toBe(true);
});

test("a directory that became a file and a file that became a directory are told with both names", async () => {
  const repository = makeRepository();
  repository.write("dir/a", "1");
  repository.write("file", "1");
  repository.commit();
  repository.remove("dir");
  repository.write("dir", "1");
  repository.remove("file");
  repository.write("file/a", "another thing");
  const server = await openGitServer(repository.path);
  expect(await changesOf(server)).toEqual(["ADDED dir", "DELETED dir/a", "DELETED file", "ADDED file/a"]);
});

test("a repository without a commit lists everything as new", async () => {
  const repository = makeRepository();
  const server = await openGitServer(repository.path);
  expect(await changesOf(server)).toEqual([]);
  repository.write("staged", "1");
  repository.git("add", "staged");
  repository.write("new", "1");
  expect(await changesOf(server)).toEqual(["ADDED new", "ADDED staged"]);
  expect(await changesOf(server, "", "HEAD")).toEqual(["ADDED new", "ADDED staged"]);
});

test("a repository with SHA-256 ids works, without a commit too", async () => {
  const repository = makeRepository(undefined, "--object-format=sha256");
  repository.write("a", "1");
  repository.git("add", "a");
  const server = await openGitServer(repository.path);
  expect(await changesOf(server)).toEqual(["ADDED a"]);
  repository.commit();
  repository.write("a", "2");
  expect(await changesOf(server)).toEqual(["UPDATED a"]);
});

test("a linked worktree has changes of its own", async () => {
  const repository = makeRepository();
  repository.write("a", "1");
  repository.commit();
  const worktree = join(temporaryDirectory(), "worktree");
  repository.git("worktree", "add", "-q", "-b", "side", worktree);
  writeFileSync(join(worktree, "a"), "2");
  const server = await openGitServer(worktree);
  expect(await changesOf(server)).toEqual(["UPDATED a"]);
  expect(await changesOf(await openGitServer(repository.path))).toEqual([]);
});

test("a commit's own changes are those against its first parent, and all of a first one", async () => {
  const repository = makeRepository();
  repository.write("a", "1\n2\n3\n4\n");
  const first = repository.commit();
  repository.git("mv", "a", "b");
  repository.write("sub/c", "1");
  const second = repository.commit();
  repository.write("not committed", "1");
  const { client } = await openGitServer(repository.path);
  expect(changeLines(await client.listChanges({ commit: first }))).toEqual(["ADDED a"]);
  expect(changeLines(await client.listChanges({ commit: second }))).toEqual(["MOVED a -> b", "ADDED sub/c"]);
  expect(changeLines(await client.listChanges({ commit: "HEAD", path: "sub" }))).toEqual(["ADDED c"]);
  await expectReason(client.listChanges({ commit: "nope" }), "REF_NOT_FOUND");
});

test("a base ref may be a branch, a tag, a commit or an expression", async () => {
  const repository = makeRepository();
  repository.write("a", "1");
  const first = repository.commit();
  repository.git("tag", "-a", "v1", "-m", "annotated");
  repository.write("a", "2");
  repository.commit();
  const server = await openGitServer(repository.path);
  for (const ref of ["v1", first, first.slice(0, 8), "HEAD~1", "main^"]) {
    expect([ref, ...(await changesOf(server, "", ref))]).toEqual([ref, "UPDATED a"]);
  }
  expect(await changesOf(server, "", "main")).toEqual([]);
  for (const ref of ["nope", "--output=x", "-", "HEAD:a", "a\nb", "HEAD^{tree}"]) {
    await expectReason(server.client.listChanges({ baseRef: ref }), "REF_NOT_FOUND");
  }
});

test("what cannot be listed says why", async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "empty"));
  writeFileSync(join(directory, "file"), "");
  makeRepository(join(directory, "bare.git"), "--bare");
  const { client } = await openGitServer(directory);
  await expectReason(client.listChanges({ path: "empty" }), "NOT_A_REPOSITORY");
  await expectReason(client.listChanges({ path: "nowhere" }), "FILE_NOT_FOUND");
  await expectReason(client.listChanges({ path: "file" }), "NOT_A_DIRECTORY");
  await expectReason(client.listChanges({ path: "bare.git" }), "BARE_REPOSITORY");
  await expectReason(client.listChanges({ path: "a\0b" }), "INVALID_FIELD");
  await expectReason(client.listChanges({ path: "a", rawPath: Buffer.from("a") }), "INVALID_FIELD");
  await expectReason(client.listChanges({ baseRef: "a", commit: "b" }), "INVALID_FIELD");
});

test("pages join to the whole list and all show the same moment", async () => {
  const repository = makeRepository();
  repository.commit();
  for (let index = 0; index < 25; index++) repository.write(`file-${String(index).padStart(2, "0")}`, "1");
  const server = await openGitServer(repository.path);
  const whole = await changesOf(server);
  const lines: string[] = [];
  for (let pageToken = "", page = 0; page === 0 || pageToken !== ""; page++) {
    const answer = await server.client.listChanges({ pageSize: 10, pageToken });
    lines.push(...changeLines(answer));
    expect(answer.comparisons.length).toBe(page === 0 ? 1 : 0);
    pageToken = answer.nextPageToken;
    if (page === 0) renameSync(join(repository.path, "file-20"), join(repository.path, "file-00a"));
  }
  expect(lines).toEqual(whole);
});

test("a page token is of its own question, and of this server alone", async () => {
  const repository = makeRepository();
  for (const name of ["a", "b", "c"]) repository.write(name, "1");
  const { client } = await openGitServer(repository.path);
  const { nextPageToken } = await client.listChanges({ pageSize: 1 });
  await expectReason(client.listChanges({ pageToken: nextPageToken, withoutNested: true }), "INVALID_FIELD");
  await expectReason(client.listChanges({ pageToken: "eyJzIjoiIn0" }), "INVALID_FIELD");
  await expectReason(client.listChanges({ pageToken: "!" }), "INVALID_FIELD");
  // Another server, or the same one much later, goes on behind the last name.
  const other = await openGitServer(repository.path);
  unlinkSync(join(repository.path, "b"));
  expect(changeLines(await other.client.listChanges({ pageToken: nextPageToken }))).toEqual(["ADDED c"]);
});
