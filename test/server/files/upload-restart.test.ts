import { createHash, randomBytes } from "node:crypto";
import { readFile, readdir, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { FileUploadState } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { openFileServer, partsIn } from "../../helpers/file-server.ts";
import type { FileServer } from "../../helpers/file-server.ts";
import { chunk, finish, header, parts } from "../../helpers/upload-parts.ts";

describe("after a restart of the server", () => {
  test("an upload goes on with its bytes, its CRC-32 and its SHA-256", async () => {
    const first = await openFileServer();
    const data = randomBytes(500_000);
    const value = { path: "f", uploadId: "u", sha256: true, sizeBytes: 500_000n };
    await client(first).writeChunk({ header: { case: "file", value }, chunk: { data: data.subarray(0, 300_000) } });
    await first.close();
    const second = await openFileServer(first);
    const { upload } = await client(second).getUpload({ uploadId: "u" });
    expect(upload).toMatchObject({ committedBytes: 300_000n, crc32: crc32(data.subarray(0, 300_000)) });
    const digest = createHash("sha256").update(data).digest();
    await client(second).upload(
      parts(header(value), chunk(data.subarray(300_000), 300_000), finish({ crc32: crc32(data), sha256: digest })),
    );
    expect(await readFile(join(first.directory, "f"))).toEqual(data);
    expect(await partsIn(first.directory)).toEqual([]);
  });

  test.each([false, true])("an upload without CRC-32 goes on, with a SHA-256: %s", async (sha256) => {
    const first = await openFileServer();
    const data = randomBytes(500_000);
    const value = { path: "f", uploadId: "u", skipCrc32: true, sha256 };
    await client(first).writeChunk({ header: { case: "file", value }, chunk: { data: data.subarray(0, 300_000) } });
    await first.close();
    const second = await openFileServer(first);
    const { upload } = await client(second).getUpload({ uploadId: "u" });
    expect(upload).toMatchObject({ committedBytes: 300_000n, crc32: 0 });
    const digest = sha256 ? { sha256: createHash("sha256").update(data).digest() } : {};
    await client(second).upload(parts(header(value), chunk(data.subarray(300_000), 300_000), finish(digest)));
    expect(await readFile(join(first.directory, "f"))).toEqual(data);
  });

  test("an upload that was finished is known as finished", async () => {
    const first = await openFileServer();
    const call = {
      header: { case: "file" as const, value: { path: "f", uploadId: "u", ifAbsent: true } },
      chunk: { data: Buffer.from("abc") },
      finish: {},
    };
    await client(first).writeChunk(call);
    await first.close();
    const second = await openFileServer(first);
    const { upload } = await client(second).writeChunk(call);
    expect(upload).toMatchObject({ state: FileUploadState.FINISHED, committedBytes: 3n });
  });

  test("nothing stays of a part that was only being made when the server was killed", async () => {
    const first = await openFileServer();
    const begin = { header: { case: "file" as const, value: { path: "f", uploadId: "u" } } };
    await client(first).writeChunk(begin);
    await first.close();
    const [part = ""] = await partsIn(first.directory);
    await rm(join(first.directory, part, "data"));
    const second = await openFileServer(first);
    await client(second).writeChunk({ ...begin, chunk: { data: Buffer.from("abc") }, finish: {} });
    expect(await readFile(join(first.directory, "f"), "utf8")).toBe("abc");
    expect(await partsIn(first.directory)).toEqual([]);
  });

  test("nothing stays of a part that was only just in its place when the server was killed", async () => {
    const first = await openFileServer();
    const value = { path: "f", uploadId: "u" };
    await client(first).writeChunk({ header: { case: "file", value }, chunk: { data: Buffer.from("abc") } });
    await first.close();
    const [part = ""] = await partsIn(first.directory);
    await rename(join(first.directory, part, "data"), join(first.directory, "f"));
    const second = await openFileServer(first);
    const { upload } = await client(second).getUpload({ uploadId: "u" });
    expect(upload).toMatchObject({ state: FileUploadState.FINISHED, committedBytes: 3n });
    expect(await partsIn(first.directory)).toEqual([]);
  });

  test("abandoned uploads of an earlier server are swept", async () => {
    const first = await openFileServer();
    await client(first).writeChunk({
      header: { case: "file", value: { path: "f", uploadId: "u" } },
      chunk: { data: Buffer.from("x") },
    });
    await first.close();
    const second = await openFileServer(first);
    for (const name of await readdir(first.uploadsDirectory)) await utimes(join(first.uploadsDirectory, name), 1, 1);
    // It began long ago, but took bytes just now.
    await second.files.uploads.sweep();
    const left = await partsIn(first.directory);
    expect(left).not.toEqual([]);
    for (const name of left) await utimes(join(first.directory, name), 1, 1);
    await second.files.uploads.sweep();
    expect(await partsIn(first.directory)).toEqual([]);
    expect(await readdir(first.uploadsDirectory)).toEqual([]);
  });

  function client(server: FileServer): FileServer["client"] {
    return server.client;
  }
});
