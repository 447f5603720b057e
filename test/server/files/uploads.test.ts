import { createHash, randomBytes } from "node:crypto";
import { existsSync, watch } from "node:fs";
import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { FileUploadState } from "@yonder/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { combineCrc32 } from "../../../transfer/src/crc32.ts";
import { detailOf, expectReason, openFileServer, partsIn } from "../../helpers/file-server.ts";
import { patient } from "../../helpers/time.ts";
import { chunk, finish, header, parts } from "../../helpers/upload-parts.ts";

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
  await expect.poll(() => seen.some((name) => name.startsWith(".yonder-part-")), patient).toBe(true);
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

test("an upload begins once the directory of the records can be made, or made again", async () => {
  const { client, uploadsDirectory } = await openFileServer();
  const upload = (path: string) =>
    client.writeChunk({ header: { case: "file", value: { path } }, chunk: { data: Buffer.from("x") }, finish: {} });
  await writeFile(uploadsDirectory, "");
  expect((await detailOf(upload("a"))).subject).toBe(uploadsDirectory);
  await rm(uploadsDirectory);
  await upload("a");
  await rm(uploadsDirectory, { recursive: true });
  await upload("b");
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

  test("keeps what came before a chunk that cannot be taken, also where they come at once", async () => {
    const { client, directory } = await openFileServer();
    const data = randomBytes(500);
    const pieces = [0, 100, 200, 300, 400].map((begin) => chunk(data.subarray(begin, begin + 100), begin));
    const damaged = [...pieces.slice(0, 3), chunk(data.subarray(300, 400), 300, 1), ...pieces.slice(4)];
    const detail = await expectReason(
      client.upload(parts(header({ path: "f", uploadId: "u" }), ...damaged, finish())),
      "CHUNK_CORRUPT",
    );
    expect(detail.expectedOffset).toBe(300n);
    const { upload } = await client.getUpload({ uploadId: "u" });
    expect(upload).toMatchObject({ committedBytes: 300n, crc32: crc32(data.subarray(0, 300)) });
    await client.upload(
      parts(header({ path: "f", uploadId: "u" }), ...pieces.slice(2), finish({ crc32: crc32(data) })),
    );
    expect(await readFile(join(directory, "f"))).toEqual(data);
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
      .poll(
        async () => (await client.getUpload({ uploadId: "u" }).catch(() => undefined))?.upload?.committedBytes,
        patient,
      )
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

test("an upload that waited too long is swept, with its part and its record", async () => {
  const { client, files, directory, uploadsDirectory } = await openFileServer();
  await client.writeChunk({
    header: { case: "file", value: { path: "f", uploadId: "u" } },
    chunk: { data: Buffer.from("x") },
  });
  await files.uploads.sweep(Date.now() + 25 * 3_600_000);
  expect(await partsIn(directory)).toEqual([]);
  await expect.poll(() => readdir(uploadsDirectory), patient).toEqual([]);
  expect(existsSync(join(directory, "f"))).toBe(false);
});
