import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { FileKind, ListResponseSchema } from "@yonder/proto";
import type { ListRequestSchema } from "@yonder/proto";
import { expect, test } from "vitest";
import { expectReason, openFileServer } from "../../helpers/file-server.ts";
import type { FileServer } from "../../helpers/file-server.ts";

async function listAll({ client }: FileServer, request: MessageInitShape<typeof ListRequestSchema>): Promise<string[]> {
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await client.list({ ...request, pageToken });
    expect(toBinary(ListResponseSchema, page).length).toBeLessThan(3.5 * 1024 * 1024);
    names.push(...page.files.map(({ path }) => path));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return names;
}

function makeTree(directory: string): void {
  for (const name of ["a", "a/x", "b.d", ".h"]) mkdirSync(join(directory, name));
  for (const name of ["a/1", "a/x/2", "a.txt", "b.d/3", ".h/4", "Z"]) writeFileSync(join(directory, name), name);
  symlinkSync("a", join(directory, "link"));
}

test("a list is sorted by bytes, each directory before what is in it, and follows no link", async () => {
  const server = await openFileServer();
  makeTree(server.directory);
  expect(await listAll(server, {})).toEqual(["Z", "a", "a.txt", "b.d", "link"]);
  expect(await listAll(server, { depth: 2 })).toEqual(["Z", "a", "a/1", "a/x", "a.txt", "b.d", "b.d/3", "link"]);
  const all = [".h", ".h/4", "Z", "a", "a/1", "a/x", "a/x/2", "a.txt", "b.d", "b.d/3", "link"];
  expect(await listAll(server, { depth: -1, includeHidden: true })).toEqual(all);
});

test.each([1, 2, 3, 5, 100])("pages of %i join to the same list", async (pageSize) => {
  const server = await openFileServer();
  makeTree(server.directory);
  const whole = await listAll(server, { depth: -1, includeHidden: true });
  expect(await listAll(server, { depth: -1, includeHidden: true, pageSize })).toEqual(whole);
});

test("a list can be kept to a kind, to what .gitignore leaves, and to what is not excluded", async () => {
  const server = await openFileServer();
  makeTree(server.directory);
  writeFileSync(join(server.directory, ".gitignore"), "a/x/\n");
  expect(await listAll(server, { depth: -1, kind: FileKind.DIRECTORY })).toEqual(["a", "a/x", "b.d"]);
  expect(await listAll(server, { depth: -1, gitignore: true, exclude: ["*.d", "Z"] })).toEqual([
    "a",
    "a/1",
    "a.txt",
    "link",
  ]);
});

test("digests come where they are asked for", async () => {
  const { client, directory } = await openFileServer();
  makeTree(directory);
  const { files } = await client.list({ sha256: true });
  expect(files.map(({ path, sha256 }) => [path, sha256.length])).toEqual([
    ["Z", 32],
    ["a", 0],
    ["a.txt", 32],
    ["b.d", 0],
    ["link", 0],
  ]);
});

test("pages go on where entries came and went meanwhile, and miss none that stayed", async () => {
  const { client, directory } = await openFileServer();
  for (const name of ["a", "c", "e", "g"]) writeFileSync(join(directory, name), "");
  const first = await client.list({ pageSize: 2 });
  writeFileSync(join(directory, "b"), "");
  const { rmSync } = await import("node:fs");
  rmSync(join(directory, "c"));
  const second = await client.list({ pageSize: 2, pageToken: first.nextPageToken });
  expect([...first.files, ...second.files].map(({ path }) => path)).toEqual(["a", "c", "e", "g"]);
});

test.each([
  ["no token", async () => "?"],
  ["a text that any name might be behind", async () => Buffer.from("zzz").toString("base64url")],
  ["a token that was cut", async (whole: string) => whole.slice(0, -2)],
  ["the token of another directory", async (_: string, of: TokenOf) => of({ path: "a", pageSize: 1 })],
  ["the token of a list with other fields", async (_: string, of: TokenOf) => of({ depth: 2, pageSize: 1 })],
])("a list does not begin behind %s", async (_, tokenFrom) => {
  const { client, directory } = await openFileServer();
  makeTree(directory);
  const tokenOf: TokenOf = async (request) => (await client.list(request)).nextPageToken;
  const pageToken = await tokenFrom(await tokenOf({ pageSize: 1 }), tokenOf);
  expect(await expectReason(client.list({ pageToken }), "INVALID_FIELD")).toMatchObject({ subject: "page_token" });
});

type TokenOf = (request: MessageInitShape<typeof ListRequestSchema>) => Promise<string>;

test("a missing directory and a file are typed errors", async () => {
  const { client, directory } = await openFileServer();
  writeFileSync(join(directory, "f"), "");
  await expectReason(client.list({ path: "no" }), "FILE_NOT_FOUND");
  await expectReason(client.list({ path: "f" }), "NOT_A_DIRECTORY");
});

test("200,000 entries are listed in replies that every stock client takes", { timeout: 120_000 }, async () => {
  const server = await openFileServer();
  // The same file by many names: a directory of 200,000 entries is made quickly.
  const { linkSync } = await import("node:fs");
  const name = (index: number): string =>
    join(server.directory, `entry-with-a-name-of-usual-length-${String(index).padStart(6, "0")}`);
  let source = name(0);
  writeFileSync(source, "");
  for (let index = 1; index < 200_000; index++) {
    // No more than 65,000 names of one file on ext4.
    if (index % 50_000 === 0) writeFileSync((source = name(index)), "");
    else linkSync(source, name(index));
  }
  const names = await listAll(server, { pageSize: 10_000 });
  expect(names.length).toBe(200_000);
  expect(new Set(names).size).toBe(200_000);
});
