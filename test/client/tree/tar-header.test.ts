import fc from "fast-check";
import { expect, test } from "vitest";
import * as ours from "../../../client/src/tree/tar-header.ts";
import * as theirs from "../../../server/src/files/tar-header.ts";

test("the headers of client and server are the same, byte for byte", () => {
  const name = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const entry = fc.record(
    {
      name,
      type: fc.constantFrom("file", "directory", "symlink", "hardlink"),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      mtimeNs: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 19n }),
      size: fc.integer({ min: 0, max: 2 ** 45 }),
      linkName: name,
    },
    { requiredKeys: ["name", "type", "mode", "mtimeNs", "size"] },
  );
  fc.assert(fc.property(entry, (entry) => ours.tarHeader(entry).equals(theirs.tarHeader(entry))));
});

test.each([
  ["client", ours],
  ["server", theirs],
])("a file in one piece is its header, its content and zeros up to a block, on the %s", (_, { tarFile, tarHeader }) => {
  for (const size of [0, 1, 511, 512, 513, 65_536]) {
    const entry = { name: Buffer.from("a/b"), mode: 0o644, mtimeNs: 1_500_000_000_123_456_789n };
    const content = Buffer.alloc(size, 7);
    const zeros = Buffer.alloc(Math.ceil(size / 512) * 512 - size);
    const header = tarHeader({ ...entry, type: "file", size });
    expect(tarFile(entry, content).equals(Buffer.concat([header, content, zeros]))).toBe(true);
  }
});
