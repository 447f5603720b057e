import { execFileSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { GetDiffResponseSchema } from "@yonder/proto";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { openGitServer, sidesOf, statusName, unified } from "../../helpers/git-server.ts";
import { makeRepository } from "../../helpers/repositories.ts";

const MIB = 1024 * 1024;

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

test("a file as it was has two equal sides and no diff", async () => {
  const repository = makeRepository();
  repository.write("a", "1\n");
  repository.commit();
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "a")).toEqual({ status: "UNCHANGED", original: "1\n", modified: "1\n" });
  expect(unified(await server.client.getDiff({ path: "a" }))).toBe("");
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
