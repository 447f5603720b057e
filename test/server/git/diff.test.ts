import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { GetDiffResponseSchema, type GetDiffResponse } from "@yonder/proto";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { openGitServer, sidesOf, statusName } from "../../helpers/git-server.ts";
import { makeRepository } from "../../helpers/repositories.ts";

const MIB = 1024 * 1024;

function unified(diff: GetDiffResponse): string {
  return Buffer.from(diff.unifiedDiff).toString("utf8");
}

test("an updated file has both sides, the unified diff and its hunks", async () => {
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}\n`);
  const repository = makeRepository();
  repository.write("dir/file", lines.join(""));
  repository.commit();
  lines[3] = "changed\n";
  lines.splice(30, 1);
  repository.write("dir/file", lines.join(""));
  const { client } = await openGitServer(repository.path);
  const diff = await client.getDiff({ path: "dir/file" });
  expect(statusName(diff)).toBe("UPDATED");
  expect(Buffer.from(diff.modified?.data ?? []).toString()).toBe(lines.join(""));
  expect(unified(diff)).toBe(`${repository.git("diff", "--no-abbrev", "HEAD")}\n`);
  expect(diff.hunks).toMatchObject([
    { originalStart: 1, originalLines: 7, modifiedStart: 1, modifiedLines: 7 },
    { originalStart: 28, originalLines: 7, modifiedStart: 28, modifiedLines: 6 },
  ]);
  const texts = diff.hunks.map(({ diffOffset, diffLength }) =>
    unified(diff).slice(Number(diffOffset), Number(diffOffset + diffLength)),
  );
  expect(texts.map((text) => text.split("\n")[0])).toEqual(["@@ -1,7 +1,7 @@", "@@ -28,7 +28,6 @@ line 26"]);
  expect(unified(diff).endsWith(texts.join(""))).toBe(true);
  expect((await client.getDiff({ path: "dir/file", contextLines: 0 })).hunks[0]).toMatchObject({ originalLines: 1 });
});

test("blanks, line ends and the last line's end stay on both sides", async () => {
  const contents = ["  \n\n leading and trailing \n\n", "no end", "crlf\r\nends\r\n", "\n", " "];
  const repository = makeRepository();
  for (const [index, content] of contents.entries()) repository.write(`file${index}`, content);
  repository.commit();
  for (const index of contents.keys()) repository.write(`file${index}`, `${contents[index]}+`);
  const server = await openGitServer(repository.path);
  for (const [index, content] of contents.entries()) {
    expect(await sidesOf(server, `file${index}`)).toEqual({
      status: "UPDATED",
      original: content,
      modified: `${content}+`,
    });
  }
});

test("a change of line ends alone is a change", async () => {
  const repository = makeRepository();
  repository.write("file", "a\nb\n");
  repository.commit();
  repository.write("file", "a\r\nb\r\n");
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "file")).toEqual({ status: "UPDATED", original: "a\nb\n", modified: "a\r\nb\r\n" });
});

test("where git converts line ends the original is as a checkout would write it", async () => {
  const repository = makeRepository();
  repository.write(".gitattributes", "*.txt text eol=crlf\n*.utf16 working-tree-encoding=UTF-16LE\n");
  repository.write("a.txt", "a\r\nb\r\n");
  repository.write("a.utf16", Buffer.from("a\n", "utf16le"));
  repository.commit();
  expect(repository.raw("show", "HEAD:a.txt").toString()).toBe("a\nb\n");
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "a.txt")).toMatchObject({ status: "UNCHANGED", original: "a\r\nb\r\n" });
  repository.write("a.txt", "a\r\nc\r\n");
  expect(await sidesOf(server, "a.txt")).toEqual({
    status: "UPDATED",
    original: "a\r\nb\r\n",
    modified: "a\r\nc\r\n",
  });
  repository.write("a.utf16", Buffer.from("b\n", "utf16le"));
  const { original } = await server.client.getDiff({ path: "a.utf16" });
  expect(Buffer.from(original?.data ?? [])).toEqual(Buffer.from("a\n", "utf16le"));
});

test("a deleted file has its original, and so has one whose directories are gone", async () => {
  const repository = makeRepository();
  repository.write("a", "1\n");
  repository.write("dir/sub/b", "2\n");
  repository.commit();
  repository.remove("a");
  repository.remove("dir");
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "a")).toEqual({ status: "DELETED", original: "1\n", modified: undefined });
  expect(await sidesOf(server, "dir/sub/b")).toEqual({ status: "DELETED", original: "2\n", modified: undefined });
  expect(unified(await server.client.getDiff({ path: "dir/sub/b" }))).toContain("deleted file mode 100644");
});

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

test("a file as it was has two equal sides and no diff", async () => {
  const repository = makeRepository();
  repository.write("a", "1\n");
  repository.commit();
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "a")).toEqual({ status: "UNCHANGED", original: "1\n", modified: "1\n" });
  expect(unified(await server.client.getDiff({ path: "a" }))).toBe("");
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

test("a binary file has sizes and a flag, and no text", async () => {
  const repository = makeRepository();
  repository.write("image", Buffer.from([0x89, 0, 1, 2]));
  repository.write("same", Buffer.from([0, 0]));
  repository.write("by-attribute", "text\n");
  repository.write(".gitattributes", "by-attribute binary\n");
  repository.commit();
  repository.write("image", Buffer.from([0x89, 0, 1, 2, 3]));
  repository.write("new", Buffer.from([0]));
  repository.write("by-attribute", "texts\n");
  const { client } = await openGitServer(repository.path);
  for (const [path, before, now] of [
    ["image", 4n, 5n],
    ["same", 2n, 2n],
    ["new", undefined, 1n],
    ["by-attribute", 5n, 6n],
  ] as const) {
    const diff = await client.getDiff({ path });
    expect(diff.binary).toBe(true);
    expect([diff.original?.sizeBytes, diff.modified?.sizeBytes]).toEqual([before, now]);
    expect([diff.original?.data.length ?? 0, diff.modified?.data.length]).toEqual([0, 0]);
    expect(diff.hunks).toEqual([]);
  }
});

test("text that is not UTF-8 arrives byte for byte", async () => {
  const latin1 = Buffer.from("caf\xe9\n", "latin1");
  const repository = makeRepository();
  repository.write("file", latin1);
  repository.commit();
  repository.write("file", Buffer.concat([latin1, latin1]));
  const { client } = await openGitServer(repository.path);
  const diff = await client.getDiff({ path: "file" });
  expect(diff.binary).toBe(false);
  expect(Buffer.from(diff.original?.data ?? [])).toEqual(latin1);
  expect(Buffer.from(diff.modified?.data ?? [])).toEqual(Buffer.concat([latin1, latin1]));
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

test("a link's content is its target; becoming a file is a change of type", async () => {
  const repository = makeRepository();
  symlinkSync("target one", join(repository.path, "link"));
  symlinkSync("target", join(repository.path, "typed"));
  repository.commit();
  for (const name of ["link", "typed"]) unlinkSync(join(repository.path, name));
  symlinkSync("target two", join(repository.path, "link"));
  repository.write("typed", "target");
  symlinkSync("nowhere", join(repository.path, "new"));
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "link")).toEqual({ status: "UPDATED", original: "target one", modified: "target two" });
  expect(await sidesOf(server, "typed")).toEqual({ status: "TYPE_CHANGED", original: "target", modified: "target" });
  expect(await sidesOf(server, "new")).toEqual({ status: "ADDED", original: undefined, modified: "nowhere" });
  const { original, modified } = await server.client.getDiff({ path: "typed" });
  expect([original?.mode, modified?.mode]).toEqual([0o120000, 0o100644]);
});

test("a changed mode shows in the modes of the sides", async () => {
  const repository = makeRepository();
  repository.write("run", "1\n");
  repository.commit();
  chmodSync(join(repository.path, "run"), 0o755);
  const { client } = await openGitServer(repository.path);
  const diff = await client.getDiff({ path: "run" });
  expect([statusName(diff), diff.original?.mode, diff.modified?.mode]).toEqual(["UPDATED", 0o100644, 0o100755]);
  expect(unified(diff)).toContain("old mode 100644\nnew mode 100755\n");
});

test("a file that left the index but not the disk is compared with the base", async () => {
  const repository = makeRepository();
  repository.write("same", "1\n");
  repository.write("other", "1\n");
  repository.commit();
  repository.git("rm", "--quiet", "--cached", "same", "other");
  repository.write("other", "2\n");
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "same")).toEqual({ status: "UNCHANGED", original: "1\n", modified: "1\n" });
  expect(await sidesOf(server, "other")).toEqual({ status: "UPDATED", original: "1\n", modified: "2\n" });
  const diff = await server.client.getDiff({ path: "other" });
  expect(diff.untracked).toBe(true);
  expect(unified(diff)).toContain("-1\n+2\n");
});

test("a file that became a directory is gone, and what is in it is new", async () => {
  const repository = makeRepository();
  repository.write("thing", "1\n");
  repository.commit();
  repository.remove("thing");
  repository.write("thing/a", "2\n");
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "thing")).toEqual({ status: "DELETED", original: "1\n", modified: undefined });
  repository.git("add", "--all");
  expect(await sidesOf(server, "thing")).toEqual({ status: "DELETED", original: "1\n", modified: undefined });
  expect(await sidesOf(server, "thing/a")).toMatchObject({ status: "ADDED", original: undefined, modified: "2\n" });
});

test("a commit's diff is that against its first parent, of files long gone too", async () => {
  const repository = makeRepository();
  repository.write("dir/file", "1\n");
  const first = repository.commit();
  repository.write("dir/file", "2\n");
  const second = repository.commit();
  repository.remove("dir");
  const third = repository.commit();
  const server = await openGitServer(repository.path);
  const diff = (commit: string): ReturnType<typeof sidesOf> => sidesOf(server, "dir/file", { commit });
  expect(await diff(first)).toEqual({ status: "ADDED", original: undefined, modified: "1\n" });
  expect(await diff(second)).toEqual({ status: "UPDATED", original: "1\n", modified: "2\n" });
  expect(await diff(third)).toEqual({ status: "DELETED", original: "2\n", modified: undefined });
  await expectReason(server.client.getDiff({ path: "dir/none", commit: second }), "FILE_NOT_FOUND");
  await expectReason(server.client.getDiff({ path: "dir", commit: second }), "IS_A_DIRECTORY");
  repository.write("moved/file", "a\nb\nc\n");
  repository.commit();
  repository.git("mv", "moved/file", "file");
  const fifth = repository.commit();
  const moved = await server.client.getDiff({ path: "file", commit: fifth });
  expect([statusName(moved), moved.oldPath]).toEqual(["MOVED", "moved/file"]);
});

test("a file of several MiB comes in parts that join to the whole, none too large for a stock client", async () => {
  const before = `${"0123456789abcdef".repeat(64)}\n`.repeat(2500);
  const now = before.replaceAll("\n", "!\n");
  const repository = makeRepository();
  repository.write("big", before);
  repository.commit();
  repository.write("big", now);
  const { client } = await openGitServer(repository.path);
  const joined = { original: "", modified: "", unified: "" };
  let etag = "";
  for (let offset = 0n, isMore = true; isMore; offset += BigInt(MIB)) {
    const diff = await client.getDiff({ path: "big", offset, etag });
    expect(toBinary(GetDiffResponseSchema, diff).length).toBeLessThan(3.5 * MIB);
    expect(diff.original?.sizeBytes).toBe(BigInt(before.length));
    joined.original += Buffer.from(diff.original?.data ?? []).toString();
    joined.modified += Buffer.from(diff.modified?.data ?? []).toString();
    joined.unified += unified(diff);
    expect(diff.unifiedDiffSizeBytes).toBeGreaterThan(BigInt(before.length * 2));
    isMore = [diff.original, diff.modified].some((side) => side?.truncated) || diff.unifiedDiffTruncated;
    ({ etag } = diff);
  }
  expect(joined.original === before).toBe(true);
  expect(joined.modified === now).toBe(true);
  expect(joined.unified).toBe(`${repository.git("diff", "--no-abbrev", "HEAD")}\n`);
  await expectReason(client.getDiff({ path: "big", offset: 1_000_000_000n }), "INVALID_FIELD");
  repository.write("big", before);
  expect((await client.getDiff({ path: "big", offset: 1n, etag })).modified?.sizeBytes).toBe(BigInt(now.length));
  const other = await openGitServer(repository.path);
  await expectReason(other.client.getDiff({ path: "big", offset: 1n, etag }), "FILE_CHANGED");
});

test("a file past 64 MiB is told by its size alone", async () => {
  const repository = makeRepository();
  repository.write("huge", "1\n");
  repository.commit();
  truncateSync(join(repository.path, "huge"), 65 * MIB);
  const { client } = await openGitServer(repository.path);
  const diff = await client.getDiff({ path: "huge" });
  expect([diff.binary, diff.modified?.sizeBytes, diff.unifiedDiff.length < 1000]).toEqual([
    true,
    BigInt(65 * MIB),
    true,
  ]);
});

test("what has no diff says why", async () => {
  const repository = makeRepository();
  repository.write("dir/a", "1");
  repository.commit();
  execFileSync("mkfifo", [join(repository.path, "pipe")]);
  writeFileSync(join(repository.path, "..", "outside"), "");
  const { client } = await openGitServer(repository.path);
  await expectReason(client.getDiff({ path: "dir" }), "IS_A_DIRECTORY");
  await expectReason(client.getDiff({ path: "." }), "IS_A_DIRECTORY");
  await expectReason(client.getDiff({ path: "pipe" }), "NOT_A_REGULAR_FILE");
  await expectReason(client.getDiff({ path: "nowhere" }), "FILE_NOT_FOUND");
  await expectReason(client.getDiff({ path: "gone/nowhere" }), "FILE_NOT_FOUND");
  await expectReason(client.getDiff({ path: "gone/../dir/a" }), "FILE_NOT_FOUND");
  await expectReason(client.getDiff({ path: "../outside" }), "NOT_A_REPOSITORY");
  await expectReason(client.getDiff({}), "MISSING_FIELD");
  await expectReason(client.getDiff({ path: "dir/a", baseRef: "nope" }), "REF_NOT_FOUND");
  await expectReason(client.getDiff({ path: "dir/a", contextLines: -1 }), "INVALID_FIELD");
});
