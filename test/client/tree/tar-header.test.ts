import fc from "fast-check";
import { test } from "vitest";
import { tarHeader as ours } from "../../../client/src/tree/tar-header.ts";
import { tarHeader as theirs } from "../../../server/src/files/tar-header.ts";

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
  fc.assert(fc.property(entry, (entry) => ours(entry).equals(theirs(entry))));
});
