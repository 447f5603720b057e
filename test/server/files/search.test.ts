import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SearchFinished, SearchMatch, SearchRequestSchema } from "@yonder/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectReason, openFileServer } from "../../helpers/file-server.ts";
import type { FileServer } from "../../helpers/file-server.ts";

async function search(
  { client }: FileServer,
  request: MessageInitShape<typeof SearchRequestSchema>,
): Promise<{ matches: SearchMatch[]; finished: SearchFinished }> {
  const matches: SearchMatch[] = [];
  for await (const { event } of client.search(request)) {
    if (event.case === "found") matches.push(event.value);
    if (event.case === "finished") return { matches, finished: event.value };
  }
  throw new Error("the stream broke off");
}

function told({ path, lineNumber, line, spans }: SearchMatch): string {
  return `${path}:${lineNumber}:${Buffer.from(line).toString()}:${spans.map(({ begin, end }) => `${begin}-${end}`).join(",")}`;
}

function makeTree(directory: string): void {
  for (const name of ["src", "src/deep", "out", ".hidden"]) mkdirSync(join(directory, name));
  writeFileSync(join(directory, ".gitignore"), "out/\n");
  writeFileSync(join(directory, "src/a.ts"), "import b\nlet needle = 1;\r\n\nneedle needle\n");
  writeFileSync(join(directory, "src/deep/b.ts"), "Needle\nlast needle");
  writeFileSync(join(directory, "src/c.md"), "ünï needle\n");
  writeFileSync(join(directory, "out/d.ts"), "needle\n");
  writeFileSync(join(directory, ".hidden/e.ts"), "needle\n");
  writeFileSync(join(directory, "binary"), "needle\0\n");
}

describe("by name", () => {
  test("finds files and directories that match globs", async () => {
    const server = await openFileServer();
    makeTree(server.directory);
    const names = async (...globs: string[]): Promise<string[]> =>
      (await search(server, { globs })).matches.map(({ path }) => path);
    expect(await names("*.ts")).toEqual(["src/a.ts", "src/deep/b.ts"]);
    expect(await names("src/*.ts")).toEqual(["src/a.ts"]);
    expect(await names("src/**", "!*.md")).toEqual(["src", "src/a.ts", "src/deep", "src/deep/b.ts"]);
    expect(await names("*.{md,none}")).toEqual(["src/c.md"]);
  });

  test("leaves out what is hidden or ignored unless it is asked for", async () => {
    const server = await openFileServer();
    makeTree(server.directory);
    const request = { globs: ["*.ts"], includeHidden: true, includeIgnored: true };
    expect((await search(server, request)).matches.map(({ path }) => path)).toEqual([
      ".hidden/e.ts",
      "out/d.ts",
      "src/a.ts",
      "src/deep/b.ts",
    ]);
  });
});

describe("by content", () => {
  test("finds lines by a literal, with their numbers and where the matches are", async () => {
    const server = await openFileServer();
    makeTree(server.directory);
    const { matches, finished } = await search(server, { content: { case: "literal", value: "needle" } });
    expect(matches.map(told)).toEqual([
      "src/a.ts:2:let needle = 1;:4-10",
      "src/a.ts:4:needle needle:0-6,7-13",
      "src/c.md:1:ünï needle:6-12",
      "src/deep/b.ts:2:last needle:5-11",
    ]);
    expect(finished).toMatchObject({ truncated: false, matches: 4n, unreadableFiles: 0n });
  });

  test("takes case as the same where it is told to, as Unicode does", async () => {
    const server = await openFileServer();
    makeTree(server.directory);
    const { matches } = await search(server, { content: { case: "literal", value: "ÜNÏ NEED" }, ignoreCase: true });
    expect(matches.map(told)).toEqual(["src/c.md:1:ünï needle:0-10"]);
  });

  test("stops at the limits and says so", async () => {
    const server = await openFileServer();
    makeTree(server.directory);
    const content = { case: "literal" as const, value: "needle" };
    const { matches, finished } = await search(server, { content, maxMatches: 2 });
    expect([matches.length, finished.truncated]).toEqual([2, true]);
    expect((await search(server, { content, maxMatchesPerFile: 1 })).matches.map(({ path }) => path)).toEqual([
      "src/a.ts",
      "src/c.md",
      "src/deep/b.ts",
    ]);
  });

  test("by a regular expression that is a literal finds the same, whatever is in the files", async () => {
    const server = await openFileServer();
    expect(server.files.features.has("REGEX_SEARCH")).toBe(true);
    const line = fc.string({ unit: fc.constantFrom("a", "b", "x", " ", "ü", "\r", "\t"), maxLength: 12 });
    const odd = Buffer.from([0x61, 0xff, 0x62, 0x0a]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(line, { maxLength: 8 }), { minLength: 1, maxLength: 4 }), async (contents) => {
        for (const [index, lines] of contents.entries()) {
          writeFileSync(join(server.directory, `f${index}`), Buffer.concat([Buffer.from(lines.join("\n")), odd]));
        }
        for (const value of ["ab", "ü", "x"]) {
          const literal = await search(server, { content: { case: "literal", value } });
          const regex = await search(server, { content: { case: "regex", value } });
          expect(regex.matches.map(told)).toEqual(literal.matches.map(told));
        }
      }),
      { numRuns: 15 },
    );
  });

  test("by a regular expression finds what it says, also in files whose names are no text", async () => {
    const server = await openFileServer();
    makeTree(server.directory);
    writeFileSync(Buffer.concat([Buffer.from(`${server.directory}/`), Buffer.from([0xff])]), "needle\n");
    const { matches } = await search(server, { content: { case: "regex", value: "^(last )?needle$" } });
    expect(matches.map(({ path, lineNumber }) => `${path}:${lineNumber}`)).toEqual(["src/deep/b.ts:2", "\ufffd:1"]);
    expect(
      (await expectReason(server.client.search({ content: { case: "regex", value: "(" } }), "INVALID_FIELD")).subject,
    ).toBe("regex");
    for (const [value, why] of [
      ["(", "unclosed group"],
      ["(?<=x)y", "look-around, including look-ahead and look-behind, is not supported"],
      ["a{99999999}", "compiled regex exceeds size limit"],
    ] as const) {
      const searching = search(server, { content: { case: "regex", value } });
      const message = expect.stringMatching(`malformed: ${why}[^\n]*$`) as string;
      await expect(searching).rejects.toMatchObject({ message });
    }
  });

  test("cuts long lines, and finds what lies across the blocks that a file is read in", async () => {
    const server = await openFileServer();
    const line = `${"x".repeat(262_140)}needle${"y".repeat(300_000)}needle`;
    writeFileSync(join(server.directory, "f"), `first\n${line}\nneedle\n`);
    const { matches } = await search(server, { content: { case: "literal", value: "needle" } });
    expect(
      matches.map(({ lineNumber, lineTruncated, line: { length } }) => [lineNumber, lineTruncated, length]),
    ).toEqual([
      [2n, true, 8192],
      [3n, false, 6],
    ]);
  });

  test("that finds nothing for long is heard of all the same", async () => {
    const server = await openFileServer({ limits: { heartbeatIntervalMs: 1 } });
    writeFileSync(join(server.directory, "long"), "hay\n".repeat(8 << 20));
    for (const content of [
      { case: "literal" as const, value: "needle" },
      { case: "regex" as const, value: "needle" },
    ]) {
      const events: (string | undefined)[] = [];
      for await (const { event } of server.client.search({ content })) events.push(event.case);
      expect(new Set(events.slice(0, -1))).toEqual(new Set(["heartbeat"]));
      expect(events.at(-1)).toBe("finished");
    }
  });

  test("searches a single file", async () => {
    const server = await openFileServer();
    makeTree(server.directory);
    const { matches } = await search(server, { path: "src/c.md", content: { case: "literal", value: "needle" } });
    expect(matches.map(({ path }) => path)).toEqual(["c.md"]);
  });

  test.each([
    ["an empty text", { content: { case: "literal" as const, value: "" } }, "MISSING_FIELD"],
    ["a line break", { content: { case: "literal" as const, value: "a\nb" } }, "INVALID_FIELD"],
    ["a missing directory", { path: "no" }, "FILE_NOT_FOUND"],
  ] as const)("refuses %s", async (_, request, reason) => {
    const { client } = await openFileServer();
    await expectReason(client.search(request), reason);
  });
});
