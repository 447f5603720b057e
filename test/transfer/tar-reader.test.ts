import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { extract } from "tar-stream";
import { expect, test } from "vitest";
import { tarEnd, tarFile, tarHeader } from "../../transfer/src/tar-header.ts";
import { TarReader } from "../../transfer/src/tar-reader.ts";
import { temporaryDirectory } from "../helpers/file-server.ts";
import { gnuTar } from "../helpers/trees.ts";

type Entry = readonly [
  type: string | undefined,
  name: string,
  linkName: string,
  mode: number,
  seconds: number,
  content: Buffer,
];

/** What GNU tar makes of a directory in one of its formats. */
async function packed(format: string): Promise<Buffer> {
  const directory = await temporaryDirectory();
  mkdirSync(join(directory, "d"));
  for (const bytes of [0, 1, 511, 512, 513, 100_000]) {
    writeFileSync(join(directory, `d/of ${bytes}`), randomBytes(bytes));
  }
  writeFileSync(join(directory, "ünï"), "x");
  utimesSync(join(directory, "ünï"), 1_500_000_000.25, 1_500_000_000.25);
  symlinkSync("d/of 1", join(directory, "link"));
  linkSync(join(directory, "d/of 1"), join(directory, "d/other name"));
  execFileSync("mkfifo", [join(directory, "pipe")]);
  const long = "long-".repeat(30);
  // More than a name has room for, but not together with the prefix of POSIX.
  const deep = join(directory, "a".repeat(60), "b".repeat(60));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, "file"), "deep");
  if (format !== "ustar") {
    writeFileSync(join(deep, long), long);
    symlinkSync(`/${long}`, join(directory, `${long}-link`));
  }
  return gnuTar(directory, `--format=${format}`, ".");
}

const read = async (pieces: Iterable<Uint8Array>): Promise<Entry[]> => {
  const reader = new TarReader(Readable.from(pieces)[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>);
  const entries: Entry[] = [];
  for await (const { type, name, linkName, mode, seconds, pax } of reader.entries()) {
    const content: Buffer[] = [];
    for await (const piece of reader.content()) content.push(Buffer.from(piece));
    const names = [pax["path"] ?? name, pax["linkpath"] ?? linkName] as const;
    entries.push([type, ...names, mode, seconds, Buffer.concat(content)]);
  }
  return entries;
};

test.each(["ustar", "gnu", "oldgnu", "pax"])(
  "a stream in the format %s is what tar-stream makes of it",
  async (format) => {
    const tar = await packed(format);
    const expected = await readByLibrary(tar);
    expect(expected.length).toBeGreaterThan(10);
    for (const bytes of [7, 511, 512, 513, 4096, tar.length]) expect(await read(cut(tar, bytes))).toEqual(expected);
  },
);

test("what nobody reads of an entry is passed over", async () => {
  const tar = await packed("gnu");
  const reader = new TarReader(Readable.from(cut(tar, 1000))[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>);
  const names: string[] = [];
  for await (const { name } of reader.entries()) names.push(name);
  expect(names).toEqual((await readByLibrary(tar)).map(([, name]) => name));
});

test("what we pack is read as it was, with times before 1970 and sizes that octal digits do not hold", async () => {
  const name = Buffer.from([0xff, 0x2f, 0x41]);
  const old = tarFile({ name, mode: 0o4755, mtimeNs: -86_400_000_000_000n }, Buffer.from("old"));
  const link = tarHeader({
    name,
    type: "symlink",
    mode: 0o777,
    mtimeNs: 0n,
    size: 0,
    linkName: Buffer.alloc(120, 0xe9),
  });
  expect(await read([old, link, tarEnd])).toEqual([
    ["file", "ÿ/A", "", 0o4755, -86_400, Buffer.from("old")],
    ["symlink", "ÿ/A", "é".repeat(120), 0o777, 0, Buffer.alloc(0)],
  ]);
  const large = tarHeader({ name, type: "file", mode: 0o644, mtimeNs: 0n, size: 2 ** 40 });
  const reader = new TarReader(Readable.from([large])[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>);
  expect((await reader.entries().next()).value).toMatchObject({ size: 2 ** 40 });
});

test("a stream that ends within an entry is an error, wherever it ends", async () => {
  const whole = Buffer.concat([
    tarFile({ name: Buffer.from("a"), mode: 0o644, mtimeNs: 5n }, randomBytes(700)),
    tarFile({ name: Buffer.from("b".repeat(150)), mode: 0o644, mtimeNs: 0n }, randomBytes(10)),
  ]);
  const ends = [0, 512 * 5, whole.length];
  for (let length = 0; length <= whole.length; length += 64) {
    const reading = read([whole.subarray(0, length)]);
    // A header of a long name or a fraction says only what the next one is.
    if (ends.includes(length)) await reading;
    else if (length % 512 !== 0) await expect(reading).rejects.toThrow("ends within an entry");
    else await reading.catch((error: unknown) => expect(String(error)).toContain("ends within an entry"));
  }
});

test("a header that was damaged is an error, and so is one that is none", async () => {
  const file = tarFile({ name: Buffer.from("a"), mode: 0o644, mtimeNs: 0n }, Buffer.alloc(0));
  for (let at = 0; at < 512; at += 3) {
    const damaged = Buffer.from(file);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    await expect(read([damaged])).rejects.toThrow(/header/);
  }
});

test("any bytes come to an end, as entries or as an error", async () => {
  const bytes = fc.uint8Array({ maxLength: 2000 });
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 5 }), async (pieces) => {
      await read(pieces).catch((error: unknown) => expect(error).toBeInstanceOf(Error));
    }),
  );
});

function* cut(bytes: Buffer, length: number): Generator<Buffer> {
  for (let begin = 0; begin < bytes.length; begin += length) yield bytes.subarray(begin, begin + length);
}

async function readByLibrary(tar: Buffer): Promise<Entry[]> {
  const parser = extract({ filenameEncoding: "latin1" } as object);
  Readable.from([tar]).pipe(parser);
  const entries: Entry[] = [];
  for await (const entry of parser) {
    const { type, name, linkname, mode, mtime } = entry.header;
    const own = type === "link" ? "hardlink" : type === "fifo" ? undefined : (type ?? undefined);
    const seconds = Math.floor((mtime?.getTime() ?? 0) / 1000);
    entries.push([own, name, linkname ?? "", mode, seconds, await buffer(entry)]);
  }
  return entries;
}
