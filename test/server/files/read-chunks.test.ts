import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, open, rm, statfs, truncate, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { readCached } from "../../../server/src/files/read-cached.ts";
import { chunkBytes, readChunks } from "../../../server/src/files/read-chunks.ts";

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), "yonder-test-"))));
afterEach(() => rm(directory, { recursive: true }));

test("the addon for it is there where the machine has a C compiler", () => {
  execFileSync("cc", ["--version"]);
  const server = createRequire(new URL("../../../server/src/index.ts", import.meta.url));
  expect(Object.keys(server("@yonder/server/read-cached") as object)).toEqual(["readCached"]);
});

test("what was just written lies in the kernel's memory, and is read at once up to the end", async () => {
  const data = randomBytes(300_000);
  const handle = await openFile(data);
  const into = Buffer.alloc(200_000);
  // Not every file system says whether it does.
  if (!speaking.has((await statfs(directory)).type)) return expect(readCached(handle, into, 300_000)).toBe(0);
  expect(readCached(handle, into, 0)).toBe(200_000);
  expect(into.equals(data.subarray(0, 200_000))).toBe(true);
  // Into a part of an array, and past two gigabytes where there is nothing.
  expect(readCached(handle, into.subarray(50_000), 200_000)).toBe(100_000);
  expect(into.subarray(50_000, 150_000).equals(data.subarray(200_000))).toBe(true);
  expect(readCached(handle, into, 300_000)).toBe(0);
  expect(readCached(handle, into, 2 ** 40)).toBe(0);
});

test("of what the kernel makes up, and of what cannot be read, nothing is", async () => {
  for (const path of ["/proc/self/status", "/proc/self/fd"]) {
    const handle = await open(path);
    onTestFinished(() => handle.close());
    expect(readCached(handle, Buffer.alloc(100), 0)).toBe(0);
  }
});

test.each([true, false])("a file comes whole, wherever its parts lie, with lent memory: %s", async (lend) => {
  const data = randomBytes(5 * chunkBytes + 12_345);
  const handle = await openFile(data);
  await handle.sync();
  // Out of the kernel's memory: the second and third chunk and a bit of the fifth. Not every file system does it.
  for (const [skip, count] of [
    [128, 256],
    [530, 10],
  ]) {
    const range = ["iflag=nocache", "bs=4096", `skip=${skip}`, `count=${count}`];
    execFileSync("dd", [`if=${directory}/f`, "of=/dev/null", "status=none", ...range]);
  }
  for (const begin of [0, 1, chunkBytes + 7]) {
    const pieces: Buffer[] = [];
    for await (const chunk of readChunks(handle, begin, data.length, { lend })) pieces.push(Buffer.from(chunk));
    expect(Buffer.concat(pieces).equals(data.subarray(begin))).toBe(true);
  }
});

test("a file that is cut while it is read ends where it ends", async () => {
  const data = randomBytes(3 * chunkBytes);
  const handle = await openFile(data);
  const lengths: number[] = [];
  for await (const chunk of readChunks(handle, 0, data.length, { lend: true })) {
    lengths.push(chunk.length);
    await truncate(join(directory, "f"), chunkBytes + 10);
  }
  expect(lengths).toEqual([chunkBytes, 10]);
});

/** ext4, XFS and Btrfs, statfs(2). */
const speaking = new Set([0xef53, 0x58465342, 0x9123683e]);

async function openFile(data: Buffer): Promise<FileHandle> {
  const path = join(directory, "f");
  await writeFile(path, data);
  const handle = await open(path, "r+");
  onTestFinished(() => handle.close());
  return handle;
}
