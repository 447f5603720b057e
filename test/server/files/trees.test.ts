import { randomBytes } from "node:crypto";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { FileUploadState } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { tarEnd, tarHeader, tarPadding } from "../../../transfer/src/tar-header.ts";
import type { TarEntry } from "../../../transfer/src/tar-header.ts";
import { expectReason, openFileServer, partsIn, temporaryDirectory } from "../../helpers/file-server.ts";
import { describeTree, downloadTar, gnuTar, gnuUntar, uploadTar } from "../../helpers/trees.ts";

/** Names that trip programs up, and everything else that a tree can hold. */
function makeOddTree(directory: string): void {
  const path = (name: string | Buffer): Buffer => Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name)]);
  const long = "long-".repeat(30);
  for (const name of ["empty", "a", "a/b", "-rf", "with space", `${long}1`, `${long}1/${long}2`]) mkdirSync(path(name));
  const names = [
    "plain",
    "a/b/deep",
    "new\nline",
    'quo"te',
    "it's",
    "ünï",
    "tab\there",
    "*",
    `${long}1/${long}2/${long}3`,
    ".hidden",
  ];
  for (const [index, name] of names.entries()) writeFileSync(path(name), `content ${index}\n`.repeat(index * 50));
  writeFileSync(path(Buffer.from([0xff, 0xfe, 0x41])), "no text");
  writeFileSync(path(Buffer.concat([Buffer.from("x".repeat(120)), Buffer.from([0xe9])])), "long and no text");
  writeFileSync(path("big"), Buffer.alloc(700_001, 7));
  for (const bytes of [512, 65_536, 65_537, 200_000]) writeFileSync(path(`of ${bytes}`), randomBytes(bytes));
  chmodSync(path("plain"), 0o4755);
  chmodSync(path("a"), 0o750);
  symlinkSync("a/b/deep", path("link"));
  symlinkSync("/nowhere/at/all", path("dangling"));
  symlinkSync(`${long}/${long}`, path("long link"));
  linkSync(path("big"), path("zz hard link"));
  utimesSync(path("plain"), 1_500_000_000.123456, 1_500_000_000.123456);
  utimesSync(path("a/b"), 1_400_000_000, 1_400_000_000);
  utimesSync(path("a"), 1_300_000_000.5, 1_300_000_000.5);
}

describe("a tree with odd names", () => {
  test("that GNU tar packed is unpacked as it was", async () => {
    const { client, directory } = await openFileServer();
    const source = await temporaryDirectory();
    makeOddTree(source);
    // GNU's own format keeps whole seconds only.
    const tar = gnuTar(source, "--format=gnu", ".");
    const expected = await temporaryDirectory();
    gnuUntar(expected, tar);
    const upload = await uploadTar(client, { path: "target" }, tar, 10_007);
    expect(upload.state).toBe(FileUploadState.FINISHED);
    expect(upload.tree).toMatchObject({ files: 17n, symlinks: 3n, hardLinks: 1n, skipped: 0n });
    expect(describeTree(join(directory, "target"))).toEqual(describeTree(expected));
    expect(await partsIn(directory)).toEqual([]);
  });

  test("that we packed is unpacked by GNU tar as it was, to the microsecond", async () => {
    const { client, directory } = await openFileServer();
    makeOddTree(directory);
    const { tar, finished } = await downloadTar(client, {});
    expect(finished.report).toMatchObject({ files: 17n, symlinks: 3n, hardLinks: 1n, directories: 8n });
    const target = await temporaryDirectory();
    gnuUntar(target, tar);
    expect(describeTree(target)).toEqual(describeTree(directory));
  });

  test("goes up as it came down", async () => {
    const { client, directory } = await openFileServer();
    mkdirSync(join(directory, "source"));
    makeOddTree(join(directory, "source"));
    const { tar } = await downloadTar(client, { path: "source" });
    await uploadTar(client, { path: "target" }, tar);
    expect(describeTree(join(directory, "target"))).toEqual(describeTree(join(directory, "source")));
  });

  test("in pax format arrives too, but for names that pax cannot say", async () => {
    const { client, directory } = await openFileServer();
    const source = await temporaryDirectory();
    writeFileSync(join(source, "ünï"), "x");
    utimesSync(join(source, "ünï"), 1_500_000_000.123456, 1_500_000_000.123456);
    await uploadTar(client, { path: "target" }, gnuTar(source, "--format=pax", "."));
    expect(describeTree(join(directory, "target"))).toEqual(describeTree(source));
    writeFileSync(Buffer.concat([Buffer.from(`${source}/`), Buffer.from([0xff])]), "");
    await expectReason(uploadTar(client, { path: "t2" }, gnuTar(source, "--format=pax", ".")), "ENTRY_REFUSED");
  });
});

describe("what is left out of a download", () => {
  test("is what .gitignore files say, nested ones too, and .git", async () => {
    const { client, directory } = await openFileServer();
    for (const name of [".git", "src", "src/gen", "node_modules"]) mkdirSync(join(directory, name));
    writeFileSync(join(directory, ".gitignore"), "node_modules/\n*.log\n");
    writeFileSync(join(directory, "src/.gitignore"), "!keep.log\ngen\n");
    for (const name of [
      ".git/config",
      "a.log",
      "src/keep.log",
      "src/x.log",
      "src/gen/out",
      "src/a.ts",
      "node_modules/m",
    ]) {
      writeFileSync(join(directory, name), "");
    }
    const target = await temporaryDirectory();
    gnuUntar(target, (await downloadTar(client, { gitignore: true, exclude: ["*.md"] })).tar);
    expect((readdirSync(target, { recursive: true }) as string[]).toSorted()).toEqual([
      ".gitignore",
      "src",
      "src/.gitignore",
      "src/a.ts",
      "src/keep.log",
    ]);
  });

  test("is all but the entries that are asked for by name", async () => {
    const { client, directory } = await openFileServer();
    makeOddTree(directory);
    const odd = Buffer.from([0xff, 0xfe, 0x41]);
    const { tar, finished } = await downloadTar(client, {
      only: [{ path: "a/b/deep" }, { rawPath: odd }, { path: "gone" }],
    });
    const target = await temporaryDirectory();
    gnuUntar(target, tar);
    expect(readdirSync(target, { recursive: true, encoding: "latin1" }).toSorted()).toEqual([
      "a",
      "a/b",
      "a/b/deep",
      odd.toString("latin1"),
    ]);
    expect(finished.report).toMatchObject({ files: 2n, skipped: 1n, skippedNames: ["gone"] });
  });

  test("is nothing of a single file", async () => {
    const { client, directory } = await openFileServer();
    writeFileSync(join(directory, "one"), "1");
    const target = await temporaryDirectory();
    gnuUntar(target, (await downloadTar(client, { path: "one" })).tar);
    expect(readFileSync(join(target, "one"), "utf8")).toBe("1");
  });
});

function entry(name: string, extra: Partial<TarEntry> & { content?: string } = {}): Buffer {
  const content = Buffer.from(extra.content ?? "");
  const header = tarHeader({
    name: Buffer.from(name),
    type: "file",
    mode: 0o644,
    mtimeNs: 0n,
    size: content.length,
    ...extra,
  });
  return Buffer.concat([header, content, Buffer.alloc(tarPadding(content.length))]);
}

describe("an entry that leads out of the target", () => {
  const out = { type: "symlink", linkName: Buffer.from("../outside") } as const;
  test.each([
    ["by ..", [entry("../outside/f", { content: "x" })]],
    ["by .. further on", [entry("a/../../outside/f", { content: "x" })]],
    ["by an absolute name", [entry("/tmp/yonder-absolute", { content: "x" })]],
    ["through a link just written", [entry("link", out), entry("link/f", { content: "x" })]],
    ["through a link that was there", [entry("there/f", { content: "x" })]],
    [
      "as a directory over a link that was there",
      [entry("there", { type: "directory" }), entry("there/f", { content: "x" })],
    ],
    ["by a hard link's target", [entry("hard", { type: "hardlink", linkName: Buffer.from("../outside/secret") })]],
    ["by a hard link through a link", [entry("hard", { type: "hardlink", linkName: Buffer.from("there/secret") })]],
  ])("%s stops the transfer there, and what was written before is told", async (_, entries) => {
    const { client, directory } = await openFileServer();
    await mkdir(join(directory, "outside"));
    await writeFile(join(directory, "outside/secret"), "secret");
    await mkdir(join(directory, "target"));
    await symlink("../outside", join(directory, "target/there"));
    const tar = Buffer.concat([
      entry("before", { content: "12345" }),
      ...entries,
      entry("after", { content: "x" }),
      tarEnd,
    ]);
    const detail = await expectReason(uploadTar(client, { path: "target" }, tar), "ENTRY_REFUSED");
    expect(detail.tree).toMatchObject({ files: 1n, contentBytes: 5n });
    expect(await readFile(join(directory, "target/before"), "utf8")).toBe("12345");
    expect(await readdir(join(directory, "outside"))).toEqual(["secret"]);
    expect(await readdir(join(directory, "target"))).not.toContain("after");
    expect(await partsIn(directory)).toEqual([]);
  });
});

test("hard links arrive in more directories than are held open, where these have no entries of their own", async () => {
  const { client, directory } = await openFileServer();
  const names = Array.from({ length: 450 }, (_, index) => `d${index}/link`);
  const links = names.map((name) => entry(name, { type: "hardlink", linkName: Buffer.from("d0/first") }));
  const tar = Buffer.concat([entry("d0/first", { content: "x" }), ...links, tarEnd]);
  await uploadTar(client, { path: "target" }, tar);
  const first = lstatSync(join(directory, "target/d0/first"));
  expect(first.nlink).toBe(451);
  expect(names.filter((name) => lstatSync(join(directory, "target", name)).ino !== first.ino)).toEqual([]);
});

test("a link in a file's place is replaced and not followed", async () => {
  const { client, directory } = await openFileServer();
  await writeFile(join(directory, "secret"), "secret");
  await mkdir(join(directory, "target"));
  await symlink("../secret", join(directory, "target/f"));
  await uploadTar(client, { path: "target" }, Buffer.concat([entry("f", { content: "new" }), tarEnd]));
  expect(await readFile(join(directory, "secret"), "utf8")).toBe("secret");
  expect(await readFile(join(directory, "target/f"), "utf8")).toBe("new");
});

test("a file in a directory's place is an error that names the entry", async () => {
  const { client, directory } = await openFileServer();
  await mkdir(join(directory, "target/d"), { recursive: true });
  const detail = await expectReason(
    uploadTar(client, { path: "target" }, Buffer.concat([entry("d", { content: "x" }), tarEnd])),
    "IS_A_DIRECTORY",
  );
  expect(detail.subject).toBe("d");
});

test("devices and pipes are passed over, counted and named", async () => {
  const { client, directory } = await openFileServer();
  const source = await temporaryDirectory();
  const { execFileSync } = await import("node:child_process");
  execFileSync("mkfifo", [join(source, "pipe")]);
  await writeFile(join(source, "f"), "x");
  const upload = await uploadTar(client, { path: "target" }, gnuTar(source, "."));
  expect(upload.tree).toMatchObject({ files: 1n, skipped: 1n, skippedNames: ["./pipe"] });
  expect(await readdir(join(directory, "target"))).toEqual(["f"]);
});

test.each([
  ["cut", (tar: Buffer) => tar.subarray(0, 700)],
  ["garbled", (tar: Buffer) => Buffer.concat([tar.subarray(0, 512), Buffer.alloc(512, 0x41)])],
])("a %s tar stream is refused", async (_, spoil) => {
  const { client } = await openFileServer();
  const tar = spoil(Buffer.concat([entry("a"), entry("f", { content: "x".repeat(2000) }), tarEnd]));
  await expectReason(uploadTar(client, { path: "target" }, tar), "ENTRY_REFUSED");
});

test("a tree goes up by unary calls, and goes on after a cut of the stream", async () => {
  const { client, directory } = await openFileServer();
  const source = await temporaryDirectory();
  makeOddTree(source);
  const tar = gnuTar(source, "--format=gnu", ".");
  const half = 300_000;
  const header = { path: "target", uploadId: "t" };
  async function* broken() {
    yield { part: { case: "header" as const, value: header } };
    yield { part: { case: "chunk" as const, value: { data: tar.subarray(0, half) } } };
  }
  await expectReason(client.uploadTree(broken()), "MISSING_FIELD");
  const { upload } = await client.getUpload({ uploadId: "t" });
  expect(upload?.committedBytes).toBe(BigInt(half));
  for (let offset = half; offset < tar.length; offset += 100_000) {
    const data = tar.subarray(offset, offset + 100_000);
    await client.writeChunk({ uploadId: "t", chunk: { offset: BigInt(offset), data, crc32: crc32(data) } });
  }
  const last = await client.writeChunk({ header: { case: "tree", value: header }, finish: { crc32: crc32(tar) } });
  expect(last.upload?.tree?.files).toBe(17n);
  const expected = await temporaryDirectory();
  gnuUntar(expected, tar);
  expect(describeTree(join(directory, "target"))).toEqual(describeTree(expected));
});

test("ten thousand small files go up and down in one call each", async () => {
  const { client, directory } = await openFileServer();
  const source = await temporaryDirectory();
  for (let dir = 0; dir < 100; dir++) {
    mkdirSync(join(source, `d${dir}`));
    for (let file = 0; file < 100; file++) writeFileSync(join(source, `d${dir}/f${file}`), `${dir} ${file}`);
  }
  const upload = await uploadTar(client, { path: "target" }, gnuTar(source, "--format=pax", "."));
  expect(upload.tree).toMatchObject({ files: 10_000n, directories: 101n });
  const { finished } = await downloadTar(client, { path: "target" });
  expect(finished.report).toMatchObject({ files: 10_000n, directories: 101n });
  expect(describeTree(join(directory, "target"))).toEqual(describeTree(source));
});

test("an upload of a tree is given up at any moment, and lets go of all it held", async () => {
  const { client, directory } = await openFileServer();
  const source = await temporaryDirectory();
  for (let file = 0; file < 40; file++) writeFileSync(join(source, `f${file}`), randomBytes(1 + file * 100));
  const tar = gnuTar(source, "--sort=name", ".");
  for (let round = 0; round < 40; round++) {
    const uploadId = `round-${round}`;
    const data = tar.subarray(0, 2048 + round * 1500);
    await client.writeChunk({ uploadId, header: { case: "tree", value: { path: "tree" } }, chunk: { data } });
    expect(await client.abortUpload({ uploadId })).toMatchObject({ aborted: true });
  }
  expect(await partsIn(directory)).toEqual([]);
});
