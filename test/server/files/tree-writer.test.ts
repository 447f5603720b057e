import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QuickDisk } from "@yonder/transfer";
import { expect, onTestFinished, test } from "vitest";
import { openDirectory } from "../../../server/src/files/directory.ts";
import type { TreeEntry } from "../../../server/src/files/tree-entry.ts";
import { TreeWriter } from "../../../server/src/files/tree-writer.ts";
import { openFileServer } from "../../helpers/file-server.ts";

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "yonder-tree-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function openWriter(directory: string): Promise<TreeWriter> {
  const root = await openDirectory(Buffer.from(directory), true);
  return new TreeWriter({ root, disk: await QuickDisk.under(root.at), partName: Buffer.from(".yonder-part-test") });
}

/** A file that says it is empty, as those below /proc do. */
function emptyEntry(name: string): TreeEntry {
  const path = Buffer.from(name);
  const none = Buffer.alloc(0);
  return { name: path, names: [path], type: "file", size: 0, mode: 0o644, modifyTime: 0, target: none, linkNames: [] };
}

function bytesIn(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => join(directory, name));
  return names.reduce((sum, name) => sum + (name.includes(".gitignore") ? 0 : fileSize(name)), 0);
}

function fileSize(path: string): number {
  const stats = statSync(path);
  return stats.isFile() ? stats.size : 0;
}

test("a file that goes on far past the size it tells is written as it comes, and not gathered in memory", async () => {
  const directory = makeDirectory();
  const writer = await openWriter(directory);
  const piece = Buffer.alloc(256 * 1024, "x");
  const written: number[] = [];
  async function* content(): AsyncGenerator<Buffer> {
    for (let count = 0; count < 16; count++) {
      yield piece;
      written.push(bytesIn(directory));
    }
  }
  await writer.write(emptyEntry("file"), content());
  await writer.finish({ sync: false });
  expect(written.at(-1)).toBeGreaterThan(14 * piece.length);
  expect(readFileSync(join(directory, "file")).equals(Buffer.alloc(16 * piece.length, "x"))).toBe(true);
  expect(writer.report).toMatchObject({ files: 1, contentBytes: 16 * piece.length });
});

test("what breaks in the middle of such a file leaves nothing of it", async () => {
  const directory = makeDirectory();
  const writer = await openWriter(directory);
  async function* content(): AsyncGenerator<Buffer> {
    for (let count = 0; count < 4; count++) yield Buffer.alloc(256 * 1024);
    throw new Error("broken");
  }
  await expect(writer.write(emptyEntry("file"), content())).rejects.toThrow("broken");
  await writer.abandon();
  expect(readdirSync(directory)).toEqual([]);
});

test("a large file that the kernel makes up is copied whole", async () => {
  const { client, directory } = await openFileServer();
  // Modules and programs that come and go are told behind the kernel's own symbols.
  const begin = readFileSync("/proc/kallsyms").subarray(0, 1024 * 1024);
  await client.copy({ sourcePath: "/proc/kallsyms", destinationPath: "symbols" });
  expect(readFileSync(join(directory, "symbols")).subarray(0, begin.length).equals(begin)).toBe(true);
});
