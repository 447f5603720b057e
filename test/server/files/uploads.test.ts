import { createHash, randomBytes } from "node:crypto";
import { existsSync, watch } from "node:fs";
import { chmod, mkdir, readFile, readdir, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { FileUploadState } from "@yonder/proto";
import type { UploadFinishSchema, UploadHeaderSchema, UploadRequestSchema } from "@yonder/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { combineCrc32 } from "../../../server/src/files/crc32.ts";
import { detailOf, expectReason, openFileServer, partsIn } from "../../helpers/file-server.ts";
import type { FileServer } from "../../helpers/file-server.ts";

type UploadPart = MessageInitShape<typeof UploadRequestSchema>;

function header(value: MessageInitShape<typeof UploadHeaderSchema>): UploadPart {
  return { part: { case: "header", value } };
}

function chunk(data: Uint8Array, offset: number, digest = crc32(data)): UploadPart {
  return { part: { case: "chunk", value: { offset: BigInt(offset), data, crc32: digest } } };
}

function finish(value: MessageInitShape<typeof UploadFinishSchema> = {}): UploadPart {
  return { part: { case: "finish", value } };
}

async function* parts(...values: UploadPart[]): AsyncGenerator<UploadPart> {
  yield* values;
}

test("crc32 of two runs together is that of all bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.uint8Array({ maxLength: 5000 }), (a, b) => {
      expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])));
    }),
  );
});

test("a part is written down before it is made, so that none is forgotten when the server is killed", async () => {
  const { client, directory, uploadsDirectory } = await openFileServer();
  await mkdir(uploadsDirectory, { recursive: true });
  const seen: string[] = [];
  // One queue of the kernel for both: what is told is told in the order in which it happened.
  const watchers = [directory, uploadsDirectory].map((path) => watch(path, (_, name) => seen.push(String(name))));
  await client.writeChunk({ uploadId: "one", header: { case: "file", value: { path: "file" } } });
  await expect.poll(() => seen.some((name) => name.startsWith(".yonder-part-"))).toBe(true);
  for (const watcher of watchers) watcher.close();
  const written = seen.findIndex((name) => name.endsWith(".json"));
  expect(written).toBeGreaterThanOrEqual(0);
  expect(written).toBeLessThan(seen.findIndex((name) => name.startsWith(".yonder-part-")));
});

test("an upload that cannot begin leaves neither a part nor a record", async () => {
  const { client, directory, uploadsDirectory } = await openFileServer();
  await writeFile(join(directory, "file"), "");
  await expectReason(
    client.writeChunk({ uploadId: "one", header: { case: "file", value: { path: "file/below" } } }),
    "NOT_A_DIRECTORY",
  );
  expect(await partsIn(directory)).toEqual([]);
  expect(await readdir(uploadsDirectory).catch(() => [])).toEqual([]);
});

describe("an upload by stream", () => {
  test("puts the file in its place with mode and mtime, and leaves no part", async () => {
    const { client, directory, uploadsDirectory } = await openFileServer();
    const data = randomBytes(700_000);
    const { upload } = await client.upload(
      parts(
        header({
          path: "a/b/file.bin",
          createParents: true,
          mode: 0o751,
          modifyTime: timestampFromMs(1_600_000_000_123),
          sizeBytes: 700_000n,
          sha256: true,
        }),
        chunk(data.subarray(0, 300_000), 0),
        chunk(data.subarray(300_000), 300_000),
        finish({ crc32: crc32(data), sha256: createHash("sha256").update(data).digest() }),
      ),
    );
    const path = join(directory, "a/b/file.bin");
    expect(await readFile(path)).toEqual(data);
    const stats = await stat(path);
    expect(stats.mode & 0o7777).toBe(0o751);
    expect(Math.floor(stats.mtimeMs)).toBe(1_600_000_000_123);
    expect(upload).toMatchObject({ path, committedBytes: 700_000n, state: FileUploadState.FINISHED });
    expect(upload?.file?.sizeBytes).toBe(700_000n);
    expect(Buffer.from(upload?.sha256 ?? "")).toEqual(createHash("sha256").update(data).digest());
    expect(await partsIn(directory)).toEqual([]);
    expect((await readdir(uploadsDirectory)).length).toBe(1);
  });

  test("of no bytes makes an empty file", async () => {
    const { client, directory } = await openFileServer();
    await client.upload(parts(header({ path: "empty", sizeBytes: 0n }), finish({ crc32: 0 })));
    expect((await stat(join(directory, "empty"))).size).toBe(0);
  });

  test("that breaks off leaves the old file, and goes on where it stood", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "f"), "old");
    const data = randomBytes(1000);
    await expectReason(
      client.upload(parts(header({ path: "f", uploadId: "u" }), chunk(data.subarray(0, 400), 0))),
      "MISSING_FIELD",
    );
    expect(await readFile(join(directory, "f"), "utf8")).toBe("old");
    const { upload } = await client.getUpload({ uploadId: "u" });
    expect(upload).toMatchObject({
      committedBytes: 400n,
      crc32: crc32(data.subarray(0, 400)),
      state: FileUploadState.OPEN,
    });
    await client.upload(
      parts(header({ path: "f", uploadId: "u" }), chunk(data.subarray(400), 400), finish({ crc32: crc32(data) })),
    );
    expect(await readFile(join(directory, "f"))).toEqual(data);
    expect(await partsIn(directory)).toEqual([]);
  });

  test("is hidden from lists, searches and git while it is under way", async () => {
    const { client, directory } = await openFileServer();
    await client.writeChunk({
      header: { case: "file", value: { path: "f", uploadId: "u" } },
      chunk: { data: Buffer.from("x") },
    });
    expect((await partsIn(directory)).length).toBeGreaterThan(0);
    expect((await client.list({ includeHidden: true, depth: -1 })).files).toEqual([]);
    const { execFileSync } = await import("node:child_process");
    execFileSync("git", ["init", "-q"], { cwd: directory });
    expect(execFileSync("git", ["status", "--porcelain", "-uall"], { cwd: directory, encoding: "utf8" })).toBe("");
    expect(await client.abortUpload({ uploadId: "u" })).toMatchObject({ aborted: true });
    expect(await partsIn(directory)).toEqual([]);
    expect(await client.abortUpload({ uploadId: "u" })).toMatchObject({ aborted: false });
  });

  test("by a newer stream takes it over from the older one", async () => {
    const { client, directory } = await openFileServer();
    const waiting = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const first = client.upload(
      (async function* () {
        yield header({ path: "f", uploadId: "u" });
        yield chunk(Buffer.from("ab"), 0);
        started.resolve();
        await waiting.promise;
        yield chunk(Buffer.from("XX"), 2);
      })(),
    );
    await started.promise;
    await expect
      .poll(async () => (await client.getUpload({ uploadId: "u" }).catch(() => undefined))?.upload?.committedBytes)
      .toBe(2n);
    await client.upload(parts(header({ path: "f", uploadId: "u" }), chunk(Buffer.from("cd"), 2), finish()));
    waiting.resolve();
    await expectReason(first, "UPLOAD_TAKEN_OVER");
    expect(await readFile(join(directory, "f"), "utf8")).toBe("abcd");
  });
});

describe("an upload by unary calls", () => {
  test("takes one call for a small file", async () => {
    const { client, directory } = await openFileServer();
    const data = Buffer.from("hello");
    const request = {
      header: { case: "file" as const, value: { path: "f" } },
      chunk: { data, crc32: crc32(data) },
      finish: { crc32: crc32(data) },
    };
    const { upload } = await client.writeChunk(request);
    expect(upload?.state).toBe(FileUploadState.FINISHED);
    expect(await readFile(join(directory, "f"), "utf8")).toBe("hello");
  });

  test("whose answer was lost is repeated as it is, to its very end", async () => {
    const { client, directory } = await openFileServer();
    const calls = [
      {
        header: { case: "file" as const, value: { path: "f", uploadId: "u", ifAbsent: true } },
        chunk: { data: Buffer.from("one "), offset: 0n },
      },
      { uploadId: "u", chunk: { data: Buffer.from("two"), offset: 4n } },
      { uploadId: "u", finish: { crc32: crc32("one two") } },
    ];
    for (const call of calls) {
      const first = await client.writeChunk(call);
      const again = await client.writeChunk(call);
      expect(again.upload?.committedBytes).toBe(first.upload?.committedBytes);
      expect(again.upload?.state).toBe(first.upload?.state);
    }
    expect(await readFile(join(directory, "f"), "utf8")).toBe("one two");
  });

  test("of chunks cut anywhere, each sent once or twice, arrives whole", async () => {
    const { client, directory } = await openFileServer();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2000 }),
        fc.array(fc.record({ length: fc.nat(400), twice: fc.boolean() }), { maxLength: 20 }),
        async (bytes, cuts) => {
          const data = Buffer.from(bytes);
          const uploadId = `p${count++}`;
          await client.writeChunk({ header: { case: "file", value: { path: uploadId, uploadId } } });
          let offset = 0;
          for (const { length, twice } of [...cuts, { length: data.length, twice: false }]) {
            const piece = data.subarray(offset, offset + length);
            const call = { uploadId, chunk: { offset: BigInt(offset), data: piece, crc32: crc32(piece) } };
            await client.writeChunk(call);
            if (twice) await client.writeChunk(call);
            offset += piece.length;
          }
          await client.writeChunk({ uploadId, finish: { crc32: crc32(data) } });
          expect(Buffer.compare(await readFile(join(directory, uploadId)), data)).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
    expect(await partsIn(directory)).toEqual([]);
  });
});

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

describe("the target", () => {
  test("that is a directory, a pipe or below a file is a typed error, and nothing is left", async () => {
    const { client, directory } = await openFileServer();
    await mkdir(join(directory, "d"));
    await writeFile(join(directory, "file"), "");
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [join(directory, "pipe")]);
    const upload = (path: string): Promise<unknown> =>
      client.writeChunk({ header: { case: "file", value: { path, createParents: true } } });
    for (const path of ["d", "d/", "new/", "file/"])
      expect((await expectReason(upload(path), "IS_A_DIRECTORY")).systemCode).toBe("EISDIR");
    expect((await expectReason(upload("x".repeat(256)), "FILE_SYSTEM_REFUSED")).systemCode).toBe("ENAMETOOLONG");
    await expectReason(upload("pipe"), "NOT_A_REGULAR_FILE");
    expect(["ENOTDIR", "EEXIST"]).toContain((await detailOf(upload("file/below"))).systemCode);
    await expectReason(client.writeChunk({ header: { case: "file", value: { path: "no/such/f" } } }), "FILE_NOT_FOUND");
    expect(await partsIn(directory)).toEqual([]);
  });

  test("that is a link keeps the link and replaces what it leads to, there or not", async () => {
    const { client, directory } = await openFileServer();
    await mkdir(join(directory, "real"));
    await writeFile(join(directory, "real/f"), "old");
    await symlink("real/f", join(directory, "link"));
    await symlink("real/new", join(directory, "dangling"));
    for (const path of ["link", "dangling"]) {
      await client.writeChunk({
        header: { case: "file", value: { path } },
        chunk: { data: Buffer.from("new") },
        finish: {},
      });
    }
    expect(await readFile(join(directory, "real/f"), "utf8")).toBe("new");
    expect(await readFile(join(directory, "real/new"), "utf8")).toBe("new");
  });

  test("keeps its mode where none is given", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "f"), "old");
    await chmod(join(directory, "f"), 0o754);
    await client.writeChunk({
      header: { case: "file", value: { path: "f" } },
      chunk: { data: Buffer.from("new") },
      finish: {},
    });
    expect((await stat(join(directory, "f"))).mode & 0o7777).toBe(0o754);
  });

  test("is written with if_absent only where nothing is, also when it came meanwhile", async () => {
    const { client, directory } = await openFileServer();
    const value = { path: "f", uploadId: "u", ifAbsent: true };
    await client.writeChunk({ header: { case: "file", value }, chunk: { data: Buffer.from("x") } });
    await writeFile(join(directory, "f"), "another's");
    const detail = await expectReason(client.writeChunk({ uploadId: "u", finish: {} }), "FILE_EXISTS");
    expect(detail.systemCode).toBe("EEXIST");
    await expectReason(
      client.writeChunk({ header: { case: "file", value: { path: "f", ifAbsent: true } } }),
      "FILE_EXISTS",
    );
    expect(await readFile(join(directory, "f"), "utf8")).toBe("another's");
    expect(await partsIn(directory)).toEqual([]);
  });

  test("is written with if_match only where it has that etag; the error tells the present one", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "f"), "one");
    const { file } = await client.stat({ path: "f" });
    const ifMatch = file?.etag ?? "";
    await client.writeChunk({
      header: { case: "file", value: { path: "f", ifMatch } },
      chunk: { data: Buffer.from("two") },
      finish: {},
    });
    const again = client.writeChunk({ header: { case: "file", value: { path: "f", ifMatch } } });
    const detail = await expectReason(again, "ETAG_MISMATCH");
    expect(detail.etag).toBe((await client.stat({ path: "f" })).file?.etag);
  });

  test("of several uploads at once is one of them as a whole", async () => {
    const { client, directory } = await openFileServer();
    const contents = Array.from({ length: 12 }, (_, index) => Buffer.alloc(100_000, index));
    await Promise.all(
      contents.map((data) =>
        client.upload(
          parts(
            header({ path: "f" }),
            chunk(data.subarray(0, 50_000), 0),
            chunk(data.subarray(50_000), 50_000),
            finish(),
          ),
        ),
      ),
    );
    const result = await readFile(join(directory, "f"));
    expect(contents.some((data) => data.equals(result))).toBe(true);
    expect(await partsIn(directory)).toEqual([]);
  });

  test("is never seen half by a reader while it is replaced again and again", async () => {
    const { client, directory } = await openFileServer();
    const path = join(directory, "f");
    await writeFile(path, Buffer.alloc(200_000, 1));
    let done = false;
    const reader = (async () => {
      let reads = 0;
      while (!done) {
        const data = await readFile(path);
        expect(data.length).toBe(200_000);
        expect(data[0]).toBe(data.at(-1));
        reads++;
      }
      return reads;
    })();
    for (let round = 2; round < 40; round++) {
      const data = Buffer.alloc(200_000, round);
      await client.upload(
        parts(
          header({ path: "f" }),
          chunk(data.subarray(0, 90_000), 0),
          chunk(data.subarray(90_000), 90_000),
          finish(),
        ),
      );
    }
    done = true;
    expect(await reader).toBeGreaterThan(10);
  });

  test("with a name of the single byte 0xFF is uploaded, told, and removed", async () => {
    const { client, directory } = await openFileServer();
    const rawPath = Buffer.from([0xff]);
    const { upload } = await client.writeChunk({
      header: { case: "file", value: { rawPath } },
      chunk: { data: Buffer.from("x") },
      finish: {},
    });
    expect(Buffer.from(upload?.file?.rawPath ?? "").at(-1)).toBe(0xff);
    expect(await readdir(directory, { encoding: "buffer" })).toEqual([rawPath]);
    const { file } = await client.stat({ rawPath });
    expect(file?.sizeBytes).toBe(1n);
    const { files } = await client.list({});
    expect(files.map((entry) => Buffer.from(entry.rawPath))).toEqual([rawPath]);
    expect(await client.remove({ rawPath })).toMatchObject({ removed: true });
  });
});

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

test("an upload that waited too long is swept, with its part and its record", async () => {
  const { client, files, directory, uploadsDirectory } = await openFileServer();
  await client.writeChunk({
    header: { case: "file", value: { path: "f", uploadId: "u" } },
    chunk: { data: Buffer.from("x") },
  });
  await files.uploads.sweep(Date.now() + 25 * 3_600_000);
  expect(await partsIn(directory)).toEqual([]);
  await expect.poll(() => readdir(uploadsDirectory)).toEqual([]);
  expect(existsSync(join(directory, "f"))).toBe(false);
});
