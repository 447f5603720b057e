import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { fileError } from "../../../server/src/files/errno.ts";
import { DomainError } from "../../../server/src/util/errors.ts";
import { expectReason, openFileServer, partsIn, temporaryDirectory } from "../../helpers/file-server.ts";
import { gnuTar, uploadTar } from "../../helpers/trees.ts";

/** A file system of its own, mounted for the test; undefined where that is not allowed. */
async function mountTmpfs(...options: string[]): Promise<string | undefined> {
  const directory = await temporaryDirectory();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", ["size=2m", ...options].join(","), "yonder-test", directory], {
      stdio: "ignore",
    });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync("umount", ["-l", directory]));
  return directory;
}

describe("a file system that is full", () => {
  test("fails an upload with STORAGE_FULL, leaves the old file and no part, and takes one that fits", async (context) => {
    const directory = await mountTmpfs();
    if (directory === undefined) return context.skip();
    const { client } = await openFileServer({ directory });
    writeFileSync(join(directory, "f"), "old");
    const data = randomBytes(1_000_000);
    await client.writeChunk({ header: { case: "file", value: { path: "f", uploadId: "u" } }, chunk: { data } });
    await client.writeChunk({ uploadId: "u", chunk: { data: data.subarray(0, 500_000), offset: 1_000_000n } });
    const detail = await expectReason(
      client.writeChunk({ uploadId: "u", chunk: { data, offset: 1_500_000n } }),
      "STORAGE_FULL",
    );
    expect(detail).toMatchObject({ systemCode: "ENOSPC", retryable: true });
    expect(readFileSync(join(directory, "f"), "utf8")).toBe("old");
    expect(await partsIn(directory)).toEqual([]);
    await client.writeChunk({ header: { case: "file", value: { path: "f" } }, chunk: { data }, finish: {} });
  });

  test("refuses at once what cannot fit", async (context) => {
    const directory = await mountTmpfs();
    if (directory === undefined) return context.skip();
    const { client } = await openFileServer({ directory });
    await expectReason(
      client.writeChunk({ header: { case: "file", value: { path: "f", sizeBytes: 10_000_000n } } }),
      "STORAGE_FULL",
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  test("ends a tree with what was written before, and no part is left", async (context) => {
    const directory = await mountTmpfs();
    if (directory === undefined) return context.skip();
    const { client } = await openFileServer({ directory });
    const source = await temporaryDirectory();
    for (let file = 0; file < 30; file++)
      writeFileSync(join(source, `f${String(file).padStart(2, "0")}`), randomBytes(200_000));
    const detail = await expectReason(uploadTar(client, {}, gnuTar(source, "--sort=name", ".")), "STORAGE_FULL");
    expect(Number(detail.tree?.files)).toBeGreaterThan(3);
    expect(await partsIn(directory)).toEqual([]);
    for (const name of readdirSync(directory)) expect(readFileSync(join(directory, name)).length).toBe(200_000);
  });
});

test("a read-only file system is said so", async (context) => {
  const directory = await mountTmpfs();
  if (directory === undefined) return context.skip();
  writeFileSync(join(directory, "f"), "old");
  execFileSync("mount", ["-o", "remount,ro", directory]);
  const { client } = await openFileServer({ directory });
  const value = { path: "f" };
  expect(
    (await expectReason(client.writeChunk({ header: { case: "file", value }, finish: {} }), "READ_ONLY_FILE_SYSTEM"))
      .systemCode,
  ).toBe("EROFS");
  await expectReason(client.remove(value), "READ_ONLY_FILE_SYSTEM");
});

test("a mount point is busy: no upload replaces it, no removal takes it, and nothing is left", async (context) => {
  const directory = await temporaryDirectory();
  for (const name of ["source", "target"]) writeFileSync(join(directory, name), name);
  try {
    execFileSync("mount", ["--bind", join(directory, "source"), join(directory, "target")], { stdio: "ignore" });
  } catch {
    return context.skip();
  }
  onTestFinished(() => void execFileSync("umount", [join(directory, "target")]));
  const { client } = await openFileServer({ directory });
  const value = { path: "target" };
  const call = client.writeChunk({ header: { case: "file", value }, chunk: { data: Buffer.from("x") }, finish: {} });
  expect((await expectReason(call, "FILE_BUSY")).systemCode).toBe("EBUSY");
  await expectReason(client.remove(value), "FILE_BUSY");
  expect(readFileSync(join(directory, "source"), "utf8")).toBe("source");
  expect(await partsIn(directory)).toEqual([]);
});

test("every answer of the system has a reason, and what is no answer of the system has none", () => {
  const expected: Record<string, string> = {
    ENOENT: "FILE_NOT_FOUND",
    EEXIST: "FILE_EXISTS",
    ENOTDIR: "NOT_A_DIRECTORY",
    EISDIR: "IS_A_DIRECTORY",
    ENOTEMPTY: "DIRECTORY_NOT_EMPTY",
    EACCES: "ACCESS_DENIED",
    EPERM: "ACCESS_DENIED",
    EROFS: "READ_ONLY_FILE_SYSTEM",
    EBUSY: "FILE_BUSY",
    ETXTBSY: "FILE_BUSY",
    ENOSPC: "STORAGE_FULL",
    EMFILE: "MACHINE_EXHAUSTED",
    ENFILE: "MACHINE_EXHAUSTED",
    ENOMEM: "MACHINE_EXHAUSTED",
    ELOOP: "FILE_SYSTEM_REFUSED",
    ENAMETOOLONG: "FILE_SYSTEM_REFUSED",
    EXDEV: "FILE_SYSTEM_REFUSED",
    EIO: "FILE_SYSTEM_REFUSED",
  };
  for (const [code, reason] of Object.entries(expected)) {
    const error = fileError(Object.assign(new Error(code), { code, errno: -1 }), Buffer.from("/x"));
    expect(error).toBeInstanceOf(DomainError);
    expect(error).toMatchObject({ reason, context: { systemCode: code, subject: "/x" } });
  }
  // libuv has no name for it.
  const quota = Object.assign(new Error("Unknown system error -122"), {
    code: "Unknown system error -122",
    errno: -122,
  });
  expect(fileError(quota, Buffer.from("/x"))).toMatchObject({
    reason: "STORAGE_FULL",
    context: { systemCode: "EDQUOT" },
  });
  const other = new TypeError("x");
  expect(fileError(other, Buffer.from("/x"))).toBe(other);
});

test("what the operating system refuses is said so", async (context) => {
  if (process.getuid?.() === 0) return context.skip();
  const { client, directory } = await openFileServer();
  mkdirSync(join(directory, "d"));
  chmodSync(join(directory, "d"), 0);
  await expectReason(client.list({ path: "d" }), "ACCESS_DENIED");
});
