import { Readable } from "node:stream";
import fc from "fast-check";
import { extract } from "tar-stream";
import { expect, test } from "vitest";
import { tarEnd, tarFile, tarHeader } from "../../transfer/src/tar-header.ts";

test("the headers say to a library what was given, byte for byte", async () => {
  const name = fc
    .uint8Array({ min: 1, minLength: 1, maxLength: 300 })
    .map((bytes) => Buffer.from(bytes))
    .filter((bytes) => bytes.at(-1) !== 0x2f);
  const entry = fc.record({
    name,
    type: fc.constantFrom("directory", "symlink", "hardlink"),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    seconds: fc.integer({ min: 0, max: 10 ** 11 }),
    linkName: name,
  });
  await fc.assert(
    fc.asyncProperty(entry, async ({ type, seconds, ...rest }) => {
      const header = tarHeader({ ...rest, type, mtimeNs: BigInt(seconds) * 10n ** 9n, size: 0 });
      const parser = extract({ filenameEncoding: "latin1" } as object);
      Readable.from([Buffer.concat([header, tarEnd])]).pipe(parser);
      for await (const { header } of parser) {
        expect(header.type).toBe(type === "hardlink" ? "link" : type);
        expect(header.name.replace(/\/$/, "")).toBe(rest.name.toString("latin1"));
        if (type !== "directory") expect(header.linkname).toBe(rest.linkName.toString("latin1"));
        expect(header.mode).toBe(rest.mode);
        expect(header.mtime?.getTime()).toBe(seconds * 1000);
      }
      expect.hasAssertions();
    }),
  );
});

test("a file in one piece is its header, its content and zeros up to a block", () => {
  for (const size of [0, 1, 511, 512, 513, 65_536]) {
    const entry = { name: Buffer.from("a/b"), mode: 0o644, mtimeNs: 1_500_000_000_123_456_789n };
    const content = Buffer.alloc(size, 7);
    const zeros = Buffer.alloc(Math.ceil(size / 512) * 512 - size);
    const header = tarHeader({ ...entry, type: "file", size });
    expect(tarFile(entry, content).equals(Buffer.concat([header, content, zeros]))).toBe(true);
  }
});
