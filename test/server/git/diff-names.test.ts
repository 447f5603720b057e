import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openGitServer, sidesOf, statusName, unified } from "../../helpers/git-server.ts";
import { makeRepository } from "../../helpers/repositories.ts";

test("new files, staged or not, or ignored, have no original", async () => {
  const repository = makeRepository();
  repository.write(".gitignore", "ignored\n");
  repository.commit();
  for (const name of ["staged", "new", "ignored", "-", "-dash"]) repository.write(name, "1\n");
  repository.git("add", "staged");
  const server = await openGitServer(repository.path);
  for (const name of ["staged", "new", "ignored", "-", "-dash"]) {
    expect({ name, ...(await sidesOf(server, name)) }).toEqual({
      name,
      status: "ADDED",
      original: undefined,
      modified: "1\n",
    });
    const diff = await server.client.getDiff({ path: name });
    expect(unified(diff)).toContain(`+++ b/${name === "-" ? "./-" : name}\n@@ -0,0 +1 @@\n+1\n`);
    expect(diff.untracked).toBe(name !== "staged");
  }
});

test("a new file's diff is what git makes of it once it is added, in any directory and with its attributes", async () => {
  const repository = makeRepository();
  repository.write(".gitattributes", "/plain -diff\n*.crlf text eol=crlf\n");
  repository.write("sub/.gitattributes", "*.opaque -diff\n");
  repository.write("sub/deep/kept", "");
  repository.commit();
  const names = [
    "top",
    "sub/plain",
    "sub/deep/a b",
    'sub/deep/"é',
    "sub/x.opaque",
    "sub/y.crlf",
    "sub/-",
    "sub/deep/*",
  ];
  for (const name of names) repository.write(name, "1\r\n2\n");
  const server = await openGitServer(repository.path);
  const untracked = await Promise.all(names.map(async (path) => unified(await server.client.getDiff({ path }))));
  repository.git("add", "--all");
  const added = await Promise.all(names.map(async (path) => unified(await server.client.getDiff({ path }))));
  const git = names.map((name) =>
    repository.raw("-c", "core.quotePath=false", "diff", "--no-abbrev", "HEAD", "--", `:(literal)${name}`).toString(),
  );
  expect(untracked).toEqual(git);
  expect(added).toEqual(git);
});

test("the diff of new files and others is taken by git apply", async () => {
  const repository = makeRepository();
  repository.write("sub/deep/changed", "1\n");
  repository.commit();
  const other = makeRepository();
  other.git("pull", "-q", repository.path, "HEAD");
  repository.write("sub/deep/changed", "2\n");
  repository.write("sub/deep/new", "3\n");
  repository.write("elsewhere/new", "4\n");
  const server = await openGitServer(repository.path);
  const { changes } = await server.client.listChanges({});
  const diffs = await Promise.all(changes.map(({ path }) => server.client.getDiff({ path })));
  writeFileSync(join(other.path, "patch"), Buffer.concat(diffs.map(({ unifiedDiff }) => unifiedDiff)));
  other.git("apply", "patch");
  for (const { path } of changes) {
    expect(readFileSync(join(other.path, path), "utf8")).toBe(readFileSync(join(repository.path, path), "utf8"));
  }
});

test("a renamed file has the original of its old name, told relative to what was asked", async () => {
  const content = "a\nb\nc\nd\ne\nf\n";
  const repository = makeRepository();
  repository.write("old/name", content);
  repository.write("flat", `${content}flat\n`);
  repository.commit();
  mkdirSync(join(repository.path, "new"));
  repository.git("mv", "old/name", "new/name");
  repository.git("mv", "flat", "flatter");
  repository.write("new/name", `${content}g\n`);
  const server = await openGitServer(repository.path);
  const diff = await server.client.getDiff({ path: "new/name" });
  expect(statusName(diff)).toBe("MOVED");
  expect(diff.oldPath).toBe("old/name");
  expect(unified(diff)).toContain("rename from old/name\nrename to new/name\n");
  expect(await sidesOf(server, "new/name")).toMatchObject({ original: content, modified: `${content}g\n` });
  expect((await server.client.getDiff({ path: "flatter" })).oldPath).toBe("flat");
  expect((await server.client.getDiff({ path: `${repository.path}/new/name` })).oldPath).toBe(
    `${repository.path}/old/name`,
  );
  const below = await openGitServer(join(repository.path, "new"));
  expect((await below.client.getDiff({ path: "name" })).oldPath).toBe("../old/name");
  expect((await sidesOf(server, "old/name")).status).toBe("DELETED");
});

test("names that git quotes, and one that is not UTF-8, have a diff", async () => {
  const names = ['q"uote', "new\nline", "é", " blank ", "star*", "[ab]", ":(top)", "\\"].map((name) =>
    Buffer.from(name),
  );
  names.push(Buffer.from("\xff/\xfe\n", "latin1"));
  const repository = makeRepository();
  for (const name of names) repository.write(name, "1\n");
  repository.commit();
  for (const name of names) repository.write(name, "2\n");
  const { client } = await openGitServer(repository.path);
  for (const name of names) {
    const diff = await client.getDiff({ rawPath: name });
    const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString();
    expect([statusName(diff), text(diff.original?.data), text(diff.modified?.data)]).toEqual(["UPDATED", "1\n", "2\n"]);
    expect(unified(diff)).toContain("@@ -1 +1 @@\n-1\n+2\n");
  }
  const fresh = Buffer.from("new\xff", "latin1");
  repository.write(fresh, "1\n");
  const diff = await client.getDiff({ rawPath: fresh });
  expect([statusName(diff), unified(diff).endsWith("+1\n")]).toEqual(["ADDED", true]);
});
