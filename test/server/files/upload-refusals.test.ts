import { createHash, randomBytes } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { expectReason, openFileServer } from "../../helpers/file-server.ts";
import { chunk, finish, header, parts } from "../../helpers/upload-parts.ts";

describe("what does not fit", () => {
  test("a gap or an overlap is refused with the offset to go on from", async () => {
    const { client } = await openFileServer();
    await client.writeChunk({
      header: { case: "file", value: { path: "f", uploadId: "u" } },
      chunk: { data: Buffer.from("abc") },
    });
    for (const offset of [2n, 5n]) {
      const call = client.writeChunk({ uploadId: "u", chunk: { offset, data: Buffer.from("xyz") } });
      const detail = await expectReason(call, "UPLOAD_OFFSET_MISMATCH");
      expect(detail.expectedOffset).toBe(3n);
    }
  });

  test("a chunk with a wrong CRC-32 is not taken, and the right one after it is", async () => {
    const { client, directory } = await openFileServer();
    const data = Buffer.from("abc");
    await client.writeChunk({ header: { case: "file", value: { path: "f", uploadId: "u" } } });
    const detail = await expectReason(client.writeChunk({ uploadId: "u", chunk: { data, crc32: 1 } }), "CHUNK_CORRUPT");
    expect(detail).toMatchObject({ expectedOffset: 0n, retryable: true });
    await client.writeChunk({ uploadId: "u", chunk: { data, crc32: crc32(data) }, finish: {} });
    expect(await readFile(join(directory, "f"), "utf8")).toBe("abc");
  });

  test.each([
    ["a wrong CRC-32 of the whole", { crc32: 1 }, "DIGEST_MISMATCH"],
    ["a wrong SHA-256", { sha256: new Uint8Array(32) }, "DIGEST_MISMATCH"],
  ] as const)("%s leaves no file and no part", async (_, value, reason) => {
    const { client, directory } = await openFileServer();
    const call = client.upload(
      parts(header({ path: "f", uploadId: "u", sha256: true }), chunk(Buffer.from("abc"), 0), finish(value)),
    );
    await expectReason(call, reason);
    expect(await readdir(directory)).toEqual([]);
    await expectReason(client.getUpload({ uploadId: "u" }), "UPLOAD_NOT_FOUND");
  });

  test("with skip_crc32 nothing but what is asked for is computed", async () => {
    const { client, directory } = await openFileServer();
    const data = randomBytes(10_000);
    const { upload } = await client.upload(
      parts(header({ path: "f", skipCrc32: true }), { part: { case: "chunk", value: { data } } }, finish()),
    );
    expect(upload).toMatchObject({ committedBytes: 10_000n, crc32: 0 });
    expect(await readFile(join(directory, "f"))).toEqual(data);
    const digest = createHash("sha256").update(data).digest();
    const both = header({ path: "g", skipCrc32: true, sha256: true });
    const hashed = await client.upload(parts(both, chunk(data, 0), finish({ sha256: digest })));
    expect(hashed.upload).toMatchObject({ crc32: 0, sha256: new Uint8Array(digest) });
    const wrong = parts(header({ path: "h", skipCrc32: true }), chunk(data, 0, 1), finish());
    await expectReason(client.upload(wrong), "CHUNK_CORRUPT");
  });

  test("a digest of the whole that is not computed is refused, and the upload goes on", async () => {
    const { client, directory } = await openFileServer();
    const value = { path: "f", uploadId: "u", skipCrc32: true };
    const data = Buffer.from("abc");
    await client.writeChunk({ header: { case: "file", value }, chunk: { data } });
    for (const refused of [{ crc32: crc32(data) }, { sha256: createHash("sha256").update(data).digest() }]) {
      const detail = await expectReason(client.writeChunk({ uploadId: "u", finish: refused }), "INVALID_FIELD");
      expect([detail.subject]).toEqual(Object.keys(refused));
    }
    await client.writeChunk({ uploadId: "u", finish: {} });
    expect(await readFile(join(directory, "f"))).toEqual(data);
  });

  test.each([2n, 4n])("3 bytes where %s were declared leave no file and no part", async (sizeBytes) => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "f"), "old");
    await expectReason(
      client.upload(parts(header({ path: "f", sizeBytes }), chunk(Buffer.from("abc"), 0), finish())),
      "SIZE_MISMATCH",
    );
    expect(await readdir(directory)).toEqual(["f"]);
    expect(await readFile(join(directory, "f"), "utf8")).toBe("old");
  });

  test("an id of another upload is refused", async () => {
    const { client } = await openFileServer();
    await client.writeChunk({ header: { case: "file", value: { path: "f", uploadId: "u" } } });
    await expectReason(
      client.writeChunk({ header: { case: "file", value: { path: "g", uploadId: "u" } } }),
      "UPLOAD_ID_CONFLICT",
    );
  });

  test("too many uploads at once are refused by the limit's name", async () => {
    const { client } = await openFileServer({ limits: { maxOpenUploads: 1 } });
    await client.writeChunk({ header: { case: "file", value: { path: "f", uploadId: "u" } } });
    const detail = await expectReason(
      client.writeChunk({ header: { case: "file", value: { path: "g" } } }),
      "LIMIT_EXCEEDED",
    );
    expect(detail.limit).toMatchObject({ name: "max_open_uploads", value: 1n });
    await client.abortUpload({ uploadId: "u" });
    await client.writeChunk({ header: { case: "file", value: { path: "g" } }, finish: {} });
  });
});
