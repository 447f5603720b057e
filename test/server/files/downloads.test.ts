import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  ftruncateSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
  statSync,
} from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DownloadFinished, DownloadRequestSchema, DownloadStarted } from "@yonder/proto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { expectReason, openFileServer } from "../../helpers/file-server.ts";
import type { FileServer } from "../../helpers/file-server.ts";
import { patient } from "../../helpers/time.ts";

interface Downloaded {
  readonly started: DownloadStarted;
  readonly data: Buffer;
  readonly finished: DownloadFinished;
}

async function download(
  { client }: FileServer,
  request: MessageInitShape<typeof DownloadRequestSchema>,
  onChunk: () => void = () => {},
): Promise<Downloaded> {
  const pieces: Buffer[] = [];
  let started: DownloadStarted | undefined;
  for await (const { part } of client.download(request)) {
    if (part.case === "started") started = part.value;
    if (part.case === "chunk") {
      expect(crc32(part.value.data)).toBe(part.value.crc32);
      expect(Number(part.value.offset)).toBe(
        Number(started?.offset) + pieces.reduce((sum, { length }) => sum + length, 0),
      );
      pieces.push(Buffer.from(part.value.data));
      onChunk();
    }
    if (part.case === "finished" && started !== undefined) {
      const data = Buffer.concat(pieces);
      expect(part.value).toMatchObject({ sizeBytes: BigInt(data.length), crc32: crc32(data) });
      return { started, data, finished: part.value };
    }
  }
  throw new Error("the stream broke off");
}

test("a file comes with size, mode, mtime and etag first, and digests last", async () => {
  const server = await openFileServer();
  const data = randomBytes(700_000);
  await writeFile(join(server.directory, "f"), data, { mode: 0o640 });
  const result = await download(server, { path: "f", sha256: true });
  expect(result.data.equals(data)).toBe(true);
  expect(result.started).toMatchObject({ offset: 0n, length: 700_000n, file: { sizeBytes: 700_000n, mode: 0o640 } });
  expect(result.finished.changed).toBe(false);
  expect(Buffer.from(result.finished.sha256)).toEqual(createHash("sha256").update(data).digest());
});

test("with skip_crc32 neither chunks nor the end have a CRC-32", async () => {
  const { client, directory } = await openFileServer();
  const data = randomBytes(700_000);
  await writeFile(join(directory, "f"), data);
  for await (const { part } of client.download({ path: "f", skipCrc32: true, sha256: true })) {
    if (part.case === "chunk") expect(part.value.crc32).toBe(undefined);
    if (part.case !== "finished") continue;
    expect(part.value).toMatchObject({ sizeBytes: 700_000n, crc32: 0 });
    expect(Buffer.from(part.value.sha256)).toEqual(createHash("sha256").update(data).digest());
  }
});

test("a SHA-256 may begin before the bytes that are sent", async () => {
  const server = await openFileServer();
  const data = randomBytes(900_000);
  await writeFile(join(server.directory, "f"), data);
  const result = await download(server, {
    path: "f",
    offset: 700_000n,
    length: 100_000n,
    sha256: true,
    sha256Offset: 7n,
  });
  expect(result.data.equals(data.subarray(700_000, 800_000))).toBe(true);
  const expected = createHash("sha256").update(data.subarray(7, 800_000)).digest();
  expect(Buffer.from(result.finished.sha256)).toEqual(expected);
});

test.each([
  { offset: 5n, sha256: true, sha256Offset: 6n },
  { offset: 5n, sha256: true, sha256Offset: -1n },
  { offset: 5n, sha256Offset: 5n },
])("a SHA-256 that cannot be is refused: %o", async (request) => {
  const server = await openFileServer();
  await writeFile(join(server.directory, "f"), "some bytes");
  const detail = await expectReason(download(server, { path: "f", ...request }), "INVALID_FIELD");
  expect(detail.subject).toBe("sha256_offset");
});

test("an empty file has no chunk", async () => {
  const server = await openFileServer();
  await writeFile(join(server.directory, "f"), "");
  expect((await download(server, { path: "f" })).data.length).toBe(0);
});

test("any range is the same bytes as those of the file, and two halves make a whole", async () => {
  const server = await openFileServer();
  const data = randomBytes(600_000);
  await writeFile(join(server.directory, "f"), data);
  await fc.assert(
    fc.asyncProperty(fc.nat(600_000), fc.nat(700_000), async (offset, length) => {
      const part = await download(server, { path: "f", offset: BigInt(offset), length: BigInt(length) });
      expect(part.data.equals(data.subarray(offset, offset + length))).toBe(true);
      const read = await server.client.readFile({ path: "f", offset: BigInt(offset), maxBytes: length });
      expect(
        Buffer.from(read.chunk?.data ?? []).equals(
          length === 0 ? data.subarray(offset) : data.subarray(offset, offset + length),
        ),
      ).toBe(true);
      expect(read.truncated).toBe(length > 0 && offset + length < data.length);
    }),
    { numRuns: 40 },
  );
});

test("an offset past the end is refused with the end", async () => {
  const { client, directory } = await openFileServer();
  await writeFile(join(directory, "f"), "x".repeat(10_000));
  const detail = await expectReason(client.download({ path: "f", offset: 10_001n }), "INVALID_FIELD");
  expect(detail).toMatchObject({ subject: "offset", expectedOffset: 10_000n });
});

test("going on with the etag of another state is refused", async () => {
  const server = await openFileServer();
  await writeFile(join(server.directory, "f"), "one");
  const { started } = await download(server, { path: "f" });
  const ifMatch = started.file?.etag ?? "";
  expect((await download(server, { path: "f", offset: 1n, ifMatch })).data.toString()).toBe("ne");
  await writeFile(join(server.directory, "f"), "other");
  await expectReason(server.client.download({ path: "f", offset: 1n, ifMatch }), "ETAG_MISMATCH");
  await expectReason(server.client.readFile({ path: "f", ifMatch }), "ETAG_MISMATCH");
});

test("a log that grows while it is read ends at the size it had, and says that it changed", async () => {
  const server = await openFileServer();
  const path = join(server.directory, "log");
  const data = randomBytes(2_000_000);
  await writeFile(path, data);
  const result = await download(server, { path: "log" }, () => appendFileSync(path, "more\n"));
  expect(result.data.equals(data)).toBe(true);
  expect(result.finished.changed).toBe(true);
});

test("a file that becomes shorter while it is read is an error", async () => {
  const server = await openFileServer();
  const path = join(server.directory, "f");
  await writeFile(path, randomBytes(4_000_000));
  await expectReason(
    download(server, { path: "f" }, () => truncateSync(path, 100)),
    "FILE_CHANGED",
  );
});

test("a file that is replaced while it is read stays what it was", async () => {
  const server = await openFileServer();
  const data = randomBytes(2_000_000);
  await writeFile(join(server.directory, "f"), data);
  const { renameSync } = await import("node:fs");
  let replaced = false;
  const result = await download(server, { path: "f" }, () => {
    if (replaced) return;
    replaced = true;
    writeFileSync(join(server.directory, "g"), "new");
    renameSync(join(server.directory, "g"), join(server.directory, "f"));
  });
  expect(result.data.equals(data)).toBe(true);
  expect(result.finished.changed).toBe(false);
});

test("files that the kernel makes up are read whole, whatever size they claim", async () => {
  const server = await openFileServer();
  const cpu = await readFile("/proc/cpuinfo");
  expect((await download(server, { path: "/proc/cpuinfo" })).data.length).toBeGreaterThan(cpu.length / 2);
  expect((await download(server, { path: "/sys/kernel/mm/transparent_hugepage/enabled" })).data.toString()).toContain(
    "never",
  );
  const { chunk, truncated } = await server.client.readFile({ path: "/proc/version" });
  expect(Buffer.from(chunk?.data ?? []).toString()).toContain("Linux");
  expect(truncated).toBe(false);
});

test("a sparse file comes with its holes as zeros", async () => {
  const server = await openFileServer();
  const path = join(server.directory, "sparse");
  const file = openSync(path, "w");
  ftruncateSync(file, 50_000_000);
  writeSync(file, "end", 49_999_990);
  closeSync(file);
  const { data } = await download(server, { path: "sparse" });
  expect(data.length).toBe(50_000_000);
  expect(data.subarray(49_999_990, 49_999_993).toString()).toBe("end");
  expect(data.subarray(0, 49_999_990).every((byte) => byte === 0)).toBe(true);
  const { file: info } = await server.client.stat({ path: "sparse" });
  expect(Number(info?.allocatedBytes)).toBeLessThan(1_000_000);
  expect(Number(info?.allocatedBytes)).toBe(statSync(path).blocks * 512);
});

test("directories, pipes, devices and missing files are typed errors, and no pipe is waited for", async () => {
  const { client, directory } = await openFileServer();
  await mkdir(join(directory, "d"));
  const { execFileSync } = await import("node:child_process");
  execFileSync("mkfifo", [join(directory, "pipe")]);
  symlinkSync("loop", join(directory, "loop"));
  await expectReason(client.download({ path: "d" }), "IS_A_DIRECTORY");
  await expectReason(client.download({ path: "pipe" }), "NOT_A_REGULAR_FILE");
  await expectReason(client.download({ path: "/dev/zero" }), "NOT_A_REGULAR_FILE");
  expect((await expectReason(client.download({ path: "no" }), "FILE_NOT_FOUND")).systemCode).toBe("ENOENT");
  expect((await expectReason(client.download({ path: "loop" }), "FILE_SYSTEM_REFUSED")).systemCode).toBe("ELOOP");
  expect((await expectReason(client.download({ path: "x".repeat(300) }), "FILE_SYSTEM_REFUSED")).systemCode).toBe(
    "ENAMETOOLONG",
  );
});

test("ReadFile answers at most 3 MiB, so that every stock client takes it", async () => {
  const { client, directory } = await openFileServer();
  await writeFile(join(directory, "f"), randomBytes(5_000_000));
  const { chunk, truncated } = await client.readFile({ path: "f" });
  expect(chunk?.data.length).toBe(3 * 1024 * 1024);
  expect(truncated).toBe(true);
});

test("a reader that goes away leaves no file open", async () => {
  const { client, directory } = await openFileServer();
  const { readdirSync, readlinkSync } = await import("node:fs");
  await writeFile(join(directory, "f"), randomBytes(5_000_000));
  const gone = new AbortController();
  const read = async (): Promise<void> => {
    for await (const { part } of client.download({ path: "f" }, gone)) if (part.case === "chunk") gone.abort();
  };
  await expect(read()).rejects.toThrow();
  const isOpen = (): boolean =>
    readdirSync("/proc/self/fd").some((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === join(directory, "f");
      } catch {
        return false;
      }
    });
  await expect.poll(isOpen, patient).toBe(false);
});
