import { createHash } from "node:crypto";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { chmod, lchown, mkdir, readFile, readdir, rename, stat, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { FileKind } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { expectReason, openFileServer, partsIn, temporaryDirectory } from "../../helpers/file-server.ts";
import { describeTree } from "../../helpers/trees.ts";
describe("Stat", () => {
  test("tells of what a link leads to, or of the link", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "f"), "abc");
    await symlink("f", join(directory, "link"));
    expect((await client.stat({ path: "link", sha256: true })).file).toMatchObject({
      kind: FileKind.REGULAR,
      sizeBytes: 3n,
    });
    expect((await client.stat({ path: "link", noFollow: true })).file).toMatchObject({
      kind: FileKind.SYMLINK,
      linkTarget: "f",
    });
    expect((await client.stat({})).file).toMatchObject({ kind: FileKind.DIRECTORY, path: directory });
    expect((await client.stat({ path: "f", sha256: true })).file?.sha256.length).toBe(32);
  });

  test("gives another etag after every change", async () => {
    const { client, directory } = await openFileServer();
    const etag = async (): Promise<string> => (await client.stat({ path: "f" })).file?.etag ?? "";
    await writeFile(join(directory, "f"), "a");
    const first = await etag();
    await writeFile(join(directory, "f"), "bb");
    const second = await etag();
    await writeFile(join(directory, "g"), "bb");
    await rename(join(directory, "g"), join(directory, "f"));
    expect(new Set([first, second, await etag()]).size).toBe(3);
  });
});

describe("MakeDirectory", () => {
  test("makes parents where it is told to, with the mode", async () => {
    const { client, directory } = await openFileServer();
    await expectReason(client.makeDirectory({ path: "a/b" }), "FILE_NOT_FOUND");
    expect(await client.makeDirectory({ path: "a/b", parents: true, mode: 0o2770 })).toMatchObject({ created: true });
    expect((await stat(join(directory, "a/b"))).mode & 0o7777).toBe(0o2770);
    expect(await client.makeDirectory({ path: "a/b", parents: true })).toMatchObject({ created: false });
    await expectReason(client.makeDirectory({ path: "a/b" }), "FILE_EXISTS");
    await writeFile(join(directory, "f"), "");
    await expectReason(client.makeDirectory({ path: "f", parents: true }), "FILE_EXISTS");
  });

  test("repeated with its request id answers as the first time", async () => {
    const { client } = await openFileServer();
    for (let round = 0; round < 2; round++) {
      expect(await client.makeDirectory({ path: "a", requestId: "r" })).toMatchObject({ created: true });
    }
    await expectReason(client.makeDirectory({ path: "b", requestId: "r" }), "REQUEST_ID_CONFLICT");
  });
});

describe("Copy", () => {
  test("copies a tree with modes, times, links and hard links", async () => {
    const { client, directory } = await openFileServer();
    mkdirSync(join(directory, "a/sub/empty"), { recursive: true });
    writeFileSync(join(directory, "a/f"), Buffer.alloc(600_000, 3), { mode: 0o741 });
    writeFileSync(join(directory, "a/sub/g"), "g");
    symlinkSync("../f", join(directory, "a/sub/link"));
    linkSync(join(directory, "a/f"), join(directory, "a/sub/hard"));
    const { report } = await client.copy({
      sourcePath: "a",
      destinationPath: "x/y",
      recursive: true,
      createParents: true,
    });
    expect(report).toMatchObject({ files: 2n, directories: 3n, symlinks: 1n, hardLinks: 1n });
    expect(describeTree(join(directory, "x/y"))).toEqual(describeTree(join(directory, "a")));
    expect(await partsIn(directory)).toEqual([]);
  });

  test.runIf(process.getuid?.() === 0)("lends nobody rights but those of who owned the file before", async () => {
    const { client, directory } = await openFileServer();
    await mkdir(join(directory, "a"));
    for (const [name, uid, gid] of [
      ["own", 0, 0],
      ["other", 12_345, 54_321],
      ["group", 0, 54_321],
    ] as const) {
      for (const size of [1, 100_000, 600_000]) {
        await writeFile(join(directory, "a", `${name}${size}`), Buffer.alloc(size));
        await lchown(join(directory, "a", `${name}${size}`), uid, gid);
        await chmod(join(directory, "a", `${name}${size}`), 0o6755);
      }
    }
    await client.copy({ sourcePath: "a", destinationPath: "b", recursive: true });
    const modes = { own: 0o6755, other: 0o755, group: 0o4755 };
    for (const [name, mode] of Object.entries(modes)) {
      for (const size of [1, 100_000, 600_000])
        expect([name, (await stat(join(directory, "b", `${name}${size}`))).mode & 0o7777]).toEqual([name, mode]);
    }
  });

  test("of a directory wants to be told so, and does not go into itself", async () => {
    const { client, directory } = await openFileServer();
    await mkdir(join(directory, "a"));
    await expectReason(client.copy({ sourcePath: "a", destinationPath: "b" }), "IS_A_DIRECTORY");
    await symlink("a", join(directory, "link"));
    for (const destinationPath of ["a/b", "link/b", "a/../a/b", "a"])
      await expectReason(client.copy({ sourcePath: "a", destinationPath, recursive: true }), "INVALID_FIELD");
    expect(await readdir(join(directory, "a"))).toEqual([]);
  });

  test("with if_absent and if_match does what they say", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "a"), "a");
    await writeFile(join(directory, "b"), "b");
    await expectReason(client.copy({ sourcePath: "a", destinationPath: "b", ifAbsent: true }), "FILE_EXISTS");
    await expectReason(client.copy({ sourcePath: "a", destinationPath: "b", ifMatch: "no" }), "ETAG_MISMATCH");
    await client.copy({ sourcePath: "a", destinationPath: "b" });
    expect(await readFile(join(directory, "b"), "utf8")).toBe("a");
  });
});

test("a digest and a size are of one file, whichever has the name", async () => {
  const { client, directory } = await openFileServer();
  const content = (size: number): Buffer => Buffer.alloc(size, "x");
  await writeFile(join(directory, "f"), content(1));
  let isOver = false;
  const replacing = (async () => {
    for (let size = 1; !isOver; size = (size % 200) + 1) {
      await writeFile(join(directory, ".new"), content(size));
      await rename(join(directory, ".new"), join(directory, "f"));
    }
  })();
  for (let count = 0; count < 40; count++) {
    const { file } = await client.stat({ path: "f", sha256: true });
    const { files } = await client.list({ sha256: true });
    for (const { sizeBytes, sha256 } of [file, ...files].flatMap((each) => each ?? [])) {
      const expected = createHash("sha256")
        .update(content(Number(sizeBytes)))
        .digest("hex");
      expect(Buffer.from(sha256).toString("hex")).toBe(expected);
    }
  }
  isOver = true;
  await replacing;
});

test.each([
  ["files", (path: string) => writeFile(path, Buffer.alloc(2_000_000, path.slice(-1)))],
  ["directories", (path: string) => mkdir(join(path, "sub"), { recursive: true })],
  ["links", (path: string) => symlink(path.slice(-1), path)],
])("of copies of %s that are made at once with if_absent, one takes the name", async (_, make) => {
  const { client, directory } = await openFileServer();
  const sources = ["a", "b", "c", "d"];
  for (const name of sources) await make(join(directory, name));
  const results = await Promise.allSettled(
    sources.map((sourcePath) => client.copy({ sourcePath, destinationPath: "copy", ifAbsent: true, recursive: true })),
  );
  const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  expect(refused.map((error) => ConnectError.from(error).code)).toEqual(Array(3).fill(Code.AlreadyExists));
  const winner = sources[results.findIndex(({ status }) => status === "fulfilled")] ?? "";
  expect(describeTree(join(directory, "copy"))).toEqual(describeTree(join(directory, winner)));
  expect(await partsIn(directory)).toEqual([]);
});

describe("Remove", () => {
  test("takes directories with all that is in them, and no link's target", async () => {
    const { client, directory } = await openFileServer();
    await mkdir(join(directory, "keep"));
    await writeFile(join(directory, "keep/f"), "");
    await mkdir(join(directory, "d/e"), { recursive: true });
    await symlink("../keep", join(directory, "d/link"));
    for (let file = 0; file < 50; file++) await writeFile(join(directory, `d/e/${file}`), "");
    await expectReason(client.remove({ path: "d" }), "DIRECTORY_NOT_EMPTY");
    await client.remove({ path: "d", recursive: true });
    expect(await readdir(directory, { recursive: true })).toEqual(["keep", "keep/f"]);
  });

  test("says whether something was there", async () => {
    const { client, directory } = await openFileServer();
    await expectReason(client.remove({ path: "f" }), "FILE_NOT_FOUND");
    expect(await client.remove({ path: "f", missingOk: true })).toMatchObject({ removed: false });
    await writeFile(join(directory, "f"), "");
    expect(await client.remove({ path: "f", requestId: "r" })).toMatchObject({ removed: true });
    expect(await client.remove({ path: "f", requestId: "r" })).toMatchObject({ removed: true });
  });

  test.each([{ confine: false }, { confine: true }])(
    "spares the workspace's directory and what it lies in, by whatever names the path leads there: %o",
    async (options) => {
      const { client, directory } = await openFileServer(options);
      await mkdir(join(directory, "d"));
      await symlink(directory, join(directory, "own"));
      const around = await temporaryDirectory();
      await symlink(dirname(directory), join(around, "link"));
      const below = `${around}/link/${basename(directory)}`;
      for (const path of [
        ".",
        directory,
        "/",
        "..",
        "d/..",
        "own/../",
        `${directory}/d/../../${basename(directory)}`,
        below,
      ]) {
        const outside = options.confine && path !== "." && path !== directory && path !== "d/..";
        const reason = outside ? "PATH_OUTSIDE_ROOT" : "INVALID_FIELD";
        await expectReason(client.remove({ path, recursive: true }), reason);
        await expectReason(client.move({ sourcePath: path, destinationPath: "moved" }), reason);
      }
      expect(await readdir(directory)).toEqual(["d", "own"]);
      await client.remove({ path: "own" });
    },
  );

  test("with if_match removes only that state", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "f"), "");
    await expectReason(client.remove({ path: "f", ifMatch: "no" }), "ETAG_MISMATCH");
    await chmod(join(directory, "f"), 0o600);
    await client.remove({ path: "f", ifMatch: (await client.stat({ path: "f" })).file?.etag ?? "" });
  });
});

test("paths with a NUL byte, two paths at once and none at all are refused by the field's name", async () => {
  const { client } = await openFileServer();
  expect((await expectReason(client.stat({ path: "a\0b" }), "INVALID_FIELD")).subject).toBe("path");
  expect((await expectReason(client.stat({ path: "a", rawPath: Buffer.from("a") }), "INVALID_FIELD")).subject).toBe(
    "path",
  );
  expect((await expectReason(client.remove({}), "MISSING_FIELD")).subject).toBe("path");
  expect((await expectReason(client.move({ sourcePath: "a" }), "MISSING_FIELD")).subject).toBe("destination_path");
});

test("a request that means another instance is refused and does nothing", async () => {
  const { client, directory } = await openFileServer();
  const expectedInstanceId = "another";
  await expectReason(client.makeDirectory({ path: "a", expectedInstanceId }), "INSTANCE_CHANGED");
  await expectReason(
    client.writeChunk({ expectedInstanceId, header: { case: "file", value: { path: "f" } } }),
    "INSTANCE_CHANGED",
  );
  expect(await readdir(directory)).toEqual([]);
});
