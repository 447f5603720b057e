import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { colourDiff } from "../../cli/src/git/colour-diff.ts";
import { makeRepository } from "../helpers/repositories.ts";
import type { Repository } from "../helpers/repositories.ts";

/** What git shows of a file that was one text and is another now, with and without colours. */
function diffs(repository: Repository, before: Buffer | null, after: Buffer | null) {
  const diff = (...options: string[]): Buffer =>
    execFileSync("git", ["diff", "--full-index", ...options, "HEAD", "--", "file"], { cwd: repository.path });
  rmSync(join(repository.path, "file"), { force: true });
  if (before !== null) repository.write("file", before);
  repository.commit();
  if (after === null) repository.remove("file");
  else repository.write("file", after);
  repository.git("add", "--all");
  return { plain: diff("--no-color"), coloured: diff("--color=always") };
}

const texts: [string, string | null, string | null][] = [
  [
    "changed lines with a function's name",
    "int main(void)\n{\n\ta\n\tb\n\tc\n\td\n\te\n}\n",
    "int main(void)\n{\n\ta\n\tb\n\tc\n\td\n\tE\n}\n",
  ],
  ["blanks at line ends and before tabs", "a\n", "a \n \tb\n\t c\t\n  \t\t d \t\n"],
  ["carriage returns", "x\r\ny\r\n", "x\r\nz\r\n\r\n"],
  ["blank lines at the end", "a\n", "a\n\n \n\n"],
  ["blank lines at the end, fewer than before", "a\n\n\n\n", "b\n\n"],
  ["nothing but blank lines, the last without a newline", " \td", "\n\r"],
  ["a new file of blank lines", null, "\n  \n"],
  ["a file that goes", "gone\n\n", null],
  ["no newline at the end", "a", "b"],
  ["lines that look like headers", "-- a\n@@ -1 +1 @@\ndiff --git a b\n", "++ a\n@@ -1 +1 @@ x\nindex 1\n\\ No\n"],
  ["a binary file", "a\0b", "a\0c"],
  ["bytes that are no text", "\xff\n", "\xfe \n"],
];

test.each(texts)("git's own colours: %s", (_, before, after) => {
  const repository = makeRepository();
  const [original, modified] = [before, after].map((text) => (text === null ? null : Buffer.from(text, "latin1")));
  const { plain, coloured } = diffs(repository, original ?? null, modified ?? null);
  const sides = { originalBytes: original ?? null, modifiedBytes: modified ?? null };
  expect(colourDiff(plain, sides).toString("latin1")).toBe(coloured.toString("latin1"));
});

test("git's own colours, of any change", () => {
  const repository = makeRepository();
  const line = fc.constantFrom("", " ", "a", "b ", "\tc", " \td", "\r", "e\r", "  \t \tf \t");
  const text = fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.boolean())
    .map(([lines, isEnded]) => Buffer.from(lines.join("\n") + (isEnded ? "\n" : "")));
  fc.assert(
    fc.property(text, text, (originalBytes, modifiedBytes) => {
      const { plain, coloured } = diffs(repository, originalBytes, modifiedBytes);
      expect(colourDiff(plain, { originalBytes, modifiedBytes }).toString()).toBe(coloured.toString());
    }),
    { numRuns: 40 },
  );
});
