import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AbortError } from "../../client/src/index.ts";
import { patient } from "../helpers/time.ts";
import { describeTree } from "../helpers/trees.ts";
import type { Bench } from "./workspace-suite.ts";

/** Files in and out, and what a file system does. */
export function filesSuite(bench: Bench): void {
  describe("files", () => {
    let local = "";
    beforeAll(() => {
      local = mkdtempSync(join(tmpdir(), "yonder-local-"));
    });
    afterAll(() => rmSync(local, { recursive: true }));

    describe("fileUpload and fileDownload", () => {
      test("move a file there and back with its bytes, mode and time, and make its parents", async () => {
        const { workspace } = bench;
        const data = randomBytes(3_000_000);
        const source = join(local, "source.bin");
        writeFileSync(source, data);
        chmodSync(source, 0o751);
        utimesSync(source, 1_500_000_000.25, 1_500_000_000.25);
        const seen: number[] = [];
        const onProgress = ({ transferredBytes }: { transferredBytes: number }): void =>
          void seen.push(transferredBytes);
        const up = await workspace.fileUpload(source, "up/down/file.bin", { onProgress });
        expect(up).toMatchObject({
          success: true,
          sourcePath: source,
          destinationPath: "up/down/file.bin",
          fileSize: 3_000_000,
          error: null,
        });
        expect(seen.at(-1)).toBe(3_000_000);
        const told = await workspace.executeCommand("stat -c '%a %Y' up/down/file.bin && sha256sum < up/down/file.bin");
        expect(told.stdout).toBe(`751 1500000000\n${createHash("sha256").update(data).digest("hex")}  -\n`);
        const target = join(local, "new/dir/copy.bin");
        const down = await workspace.fileDownload("up/down/file.bin", target);
        expect(down).toMatchObject({ success: true, fileSize: 3_000_000, etag: up.etag });
        expect(readFileSync(target).equals(data)).toBe(true);
        expect(statSync(target)).toMatchObject({ mtimeMs: 1_500_000_000_250 });
        expect(statSync(target).mode & 0o7777).toBe(0o751);
      });

      test("take bytes and streams, and give them", async () => {
        const { workspace } = bench;
        const data = randomBytes(2_500_000);
        await workspace.fileUpload(data, "bytes");
        expect((await workspace.fileDownload("bytes")).data?.equals(data)).toBe(true);
        async function* pieces(): AsyncGenerator<Uint8Array> {
          for (let begin = 0; begin < data.length; begin += 99_999) yield data.subarray(begin, begin + 99_999);
        }
        expect(await workspace.fileUpload(pieces(), "pieces")).toMatchObject({
          success: true,
          fileSize: data.length,
          sourcePath: "",
        });
        expect(await workspace.fileUpload(Readable.from(["text ", "in parts"]), "stream")).toMatchObject({
          fileSize: 13,
        });
        const got: Buffer[] = [];
        const sink = new Writable({
          highWaterMark: 1,
          write(chunk: Buffer, _, done) {
            got.push(chunk);
            setImmediate(done);
          },
        });
        expect(await workspace.fileDownload("pieces", sink)).toMatchObject({ success: true, destinationPath: "" });
        expect(Buffer.concat(got).equals(data)).toBe(true);
        await workspace.fileUpload(new Uint8Array(0), "empty");
        expect((await workspace.fileDownload("empty")).data?.length).toBe(0);
      });

      test("say as a result what the file system says, here and there", async () => {
        const { workspace } = bench;
        await workspace.fs.mkdir("a-directory", { recursive: true });
        expect(await workspace.fileUpload(Buffer.from("x"), "a-directory")).toMatchObject({
          success: false,
          code: "EISDIR",
          fileSize: null,
        });
        expect(await workspace.fileUpload(join(local, "no"), "x")).toMatchObject({ success: false, code: "ENOENT" });
        expect(await workspace.fileUpload(local, "x")).toMatchObject({ success: false, code: "EISDIR" });
        expect(await workspace.fileDownload("no", join(local, "x"))).toMatchObject({ success: false, code: "ENOENT" });
        expect(await workspace.fileDownload("a-directory", join(local, "x"))).toMatchObject({
          success: false,
          code: "EISDIR",
        });
        expect((await workspace.fileDownload("no", join(local, "x"))).error).toContain("No such file");
        await workspace.fileUpload(Buffer.from("x"), "there");
        expect(await workspace.fileDownload("there", local)).toMatchObject({ success: false, code: "EISDIR" });
        expect(await workspace.fileUpload(Buffer.from("y"), "there", { ifAbsent: true })).toMatchObject({
          success: false,
          code: "EEXIST",
        });
        expect(await workspace.fileUpload(Buffer.from("y"), "there", { sha256: new Uint8Array(32) })).toMatchObject({
          success: false,
          code: "EIO",
        });
        expect(await workspace.fs.readFile("there", "utf8")).toBe("x");
      });

      test("reject with an AbortError when they are aborted, and leave the old file", async () => {
        const { workspace } = bench;
        await workspace.fs.writeFile("kept", "old");
        const abort = new AbortController();
        const source = join(local, "large.bin");
        writeFileSync(source, randomBytes(8_000_000));
        const onProgress = (): void => abort.abort();
        await expect(workspace.fileUpload(source, "kept", { signal: abort.signal, onProgress })).rejects.toBeInstanceOf(
          AbortError,
        );
        expect(await workspace.fs.readFile("kept", "utf8")).toBe("old");
        await expect
          .poll(async () => (await workspace.executeCommand("ls -a")).stdout, patient)
          .not.toContain(".yonder-part");
      });

      test("do not hold up a command on the same client", async () => {
        const { workspace } = bench;
        const source = join(local, "background.bin");
        writeFileSync(source, randomBytes(16_000_000));
        const upload = workspace.fileUpload(source, "background.bin");
        expect((await workspace.executeCommand("true")).exitCode).toBe(0);
        expect(await upload).toMatchObject({ success: true });
      });
    });

    describe("fs", () => {
      test("reads and writes text and bytes, parts of them, and only where it may", async () => {
        const { fs } = bench.workspace;
        const { etag } = await fs.writeFile("dir/a.txt", "grüße", { mode: 0o640 });
        expect(await fs.readFile("dir/a.txt", "utf8")).toBe("grüße");
        expect((await fs.readFile("dir/a.txt", { offset: 2, length: 2 })).toString()).toBe("ü");
        for (const offset of [-1, 0.5, Number.NaN, 2 ** 53]) {
          const refused = { reason: "INVALID_FIELD", subject: "offset" };
          await expect(fs.readFile("dir/a.txt", { offset })).rejects.toMatchObject(refused);
        }
        await expect(fs.readFile(5 as never)).rejects.toMatchObject({ reason: "INVALID_FIELD", subject: "path" });
        await expect(fs.mkdir("new", { mode: -1 })).rejects.toMatchObject({ reason: "INVALID_FIELD", subject: "mode" });
        await expect(fs.writeFile("dir/a.txt", "x", { flag: "wx" })).rejects.toMatchObject({
          code: "EEXIST",
          path: "dir/a.txt",
        });
        await fs.writeFile("dir/a.txt", "newer", { ifMatch: etag });
        await expect(fs.writeFile("dir/a.txt", "x", { ifMatch: etag })).rejects.toMatchObject({
          reason: "ETAG_MISMATCH",
          code: "ESTALE",
        });
        expect((await fs.stat("dir/a.txt")).mode).toBe(0o640);
        const pieces = [];
        for await (const piece of fs.readStream("dir/a.txt")) pieces.push(piece);
        expect(Buffer.concat(pieces).toString()).toBe("newer");
      });

      test("has the verbs of node:fs/promises, with their error codes", async () => {
        const { fs } = bench.workspace;
        await fs.mkdir("verbs/sub", { recursive: true });
        await expect(fs.mkdir("verbs")).rejects.toMatchObject({ code: "EEXIST", syscall: "mkdir" });
        await fs.writeFile("verbs/f", "x");
        await fs.rename("verbs/f", "verbs/new/g");
        await fs.cp("verbs/new", "verbs/copy", { recursive: true });
        expect(await fs.readdir("verbs")).toEqual(["copy", "new", "sub"]);
        expect(await fs.readdir("verbs", { recursive: true })).toEqual(["copy", "copy/g", "new", "new/g", "sub"]);
        const entries = await fs.readdir("verbs/copy", { withFileTypes: true });
        expect(entries.map((entry) => [entry.name, entry.isFile(), entry.size])).toEqual([["g", true, 1]]);
        expect([
          await fs.exists("verbs/copy/g"),
          await fs.exists("verbs/none"),
          await fs.exists("verbs/copy/g/x"),
        ]).toEqual([true, false, false]);
        await expect(fs.rm("verbs")).rejects.toMatchObject({ code: "ENOTEMPTY" });
        await fs.rm("verbs", { recursive: true });
        await fs.rm("verbs", { force: true });
        await expect(fs.readFile("verbs/f")).rejects.toMatchObject({
          code: "ENOENT",
          syscall: "open",
          path: "verbs/f",
          reason: "FILE_NOT_FOUND",
        });
        await expect(fs.stat("verbs")).rejects.toMatchObject({ code: "ENOENT", syscall: "stat" });
        await expect(fs.readdir("dir/a.txt")).rejects.toMatchObject({ code: "ENOTDIR" });
      });

      test("knows links by themselves and by what they lead to", async () => {
        const { workspace } = bench;
        await workspace.executeCommand(
          "mkdir -p links && echo hi > links/f && ln -sf f links/l && ln -sf none links/d",
        );
        expect((await workspace.fs.lstat("links/l")).linkTarget).toBe("f");
        expect((await workspace.fs.stat("links/l")).isFile()).toBe(true);
        expect(await workspace.fs.exists("links/d")).toBe(false);
      });

      test("takes names that are no text, as bytes", async () => {
        const { fs } = bench.workspace;
        const name = Buffer.from([0x6f, 0x64, 0x64, 0x2f, 0xff]);
        await fs.writeFile(name, "x");
        expect(await fs.readdir("odd")).toEqual([Buffer.from([0xff])]);
        expect((await fs.stat(name)).size).toBe(1);
        await fs.rm(name);
        expect(await fs.readdir("odd")).toEqual([]);
      });

      test("writes many files from memory in one stream", async () => {
        const { workspace } = bench;
        const files = Array.from({ length: 300 }, (_, index) => ({
          path: `many/${index % 7}/f${index}`,
          data: `content ${index}`,
        }));
        expect(await workspace.fs.writeFiles(files)).toMatchObject({ files: 300 });
        expect((await workspace.executeCommand("find many -type f | wc -l")).stdout.trim()).toBe("300");
        expect(await workspace.fs.readFile("many/4/f298", "utf8")).toBe("content 298");
      });

      test("finds files and lines", async () => {
        const { fs } = bench.workspace;
        await fs.writeFiles([
          { path: "find/a.ts", data: "one\nneedle here\n" },
          { path: "find/b.md", data: "needle\n" },
        ]);
        expect((await fs.search({ path: "find", globs: ["*.ts"] })).matches.map(({ path }) => path)).toEqual(["a.ts"]);
        const { matches, truncated } = await fs.search({ path: "find", text: "needle" });
        expect(truncated).toBe(false);
        expect(matches.map(({ path, lineNumber, line }) => [path, lineNumber, line])).toEqual([
          ["a.ts", 2, "needle here"],
          ["b.md", 1, "needle"],
        ]);
      });

      test("watches", async () => {
        const { workspace } = bench;
        await workspace.fs.mkdir("watched", { recursive: true });
        const abort = new AbortController();
        const told: string[] = [];
        const watching = (async () => {
          for await (const event of workspace.fs.watch("watched", { recursive: true, signal: abort.signal })) {
            told.push(event.type === "resync" ? "resync" : `${event.type} ${String(event.path)}`);
          }
        })();
        await expect
          .poll(
            async () => {
              await workspace.executeCommand("date +%N > watched/f");
              return told.length;
            },
            { ...patient, interval: 200 },
          )
          .toBeGreaterThan(0);
        abort.abort();
        await watching;
        expect(["created f", "modified f"]).toContain(told[0]);
      });
    });

    describe("trees", () => {
      test("go up and come down as they are, and a second time nothing is moved", async () => {
        const { workspace } = bench;
        const source = join(local, "tree");
        mkdirSync(join(source, "sub/empty"), { recursive: true });
        for (let file = 0; file < 40; file++) writeFileSync(join(source, `sub/f${file}`), randomBytes(file * 997));
        writeFileSync(join(source, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
        symlinkSync("sub/f1", join(source, "link"));
        const up = await workspace.fs.uploadTree(source, "tree");
        expect(up).toMatchObject({ files: 41, directories: 2, symlinks: 1, unchanged: 0 });
        expect(await workspace.fs.uploadTree(source, "tree")).toMatchObject({ files: 0, unchanged: 44 });
        expect(await workspace.fs.uploadTree(source, "tree", { compare: "digest" })).toMatchObject({
          files: 0,
          unchanged: 44,
        });
        const target = join(local, "tree-again");
        expect(await workspace.fs.downloadTree("tree", target)).toMatchObject({ files: 41, symlinks: 1 });
        // The top itself is made anew, with a time of its own.
        expect(describeTree(target).slice(1)).toEqual(describeTree(source).slice(1));
        expect(await workspace.fs.downloadTree("tree", target)).toMatchObject({ files: 0, unchanged: 44 });
        writeFileSync(join(source, "sub/f3"), "changed");
        rmSync(join(target, "sub/f5"));
        expect(await workspace.fs.uploadTree(source, "tree")).toMatchObject({ files: 1 });
        expect(await workspace.fs.downloadTree("tree", target)).toMatchObject({ files: 2 });
      });

      test("leave out what is excluded or ignored", async () => {
        const { workspace } = bench;
        const source = join(local, "ignoring");
        mkdirSync(join(source, "node_modules/m"), { recursive: true });
        for (const name of ["a.ts", "b.log", "node_modules/m/i.js", "c.md"]) writeFileSync(join(source, name), "");
        writeFileSync(join(source, ".gitignore"), "*.log\nnode_modules\n");
        await workspace.fs.uploadTree(source, "ignoring", { gitignore: true, exclude: ["*.md"] });
        expect(await workspace.fs.readdir("ignoring", { recursive: true })).toEqual([".gitignore", "a.ts"]);
      });

      test("pass over links that lead out, when they come down", async () => {
        const { workspace } = bench;
        await workspace.executeCommand(
          "mkdir -p lead/sub && ln -sfn /etc lead/abs && ln -sfn ../../x lead/sub/up && ln -sfn ../f lead/sub/in && echo x > lead/f",
        );
        const target = join(local, "lead");
        const report = await workspace.fs.downloadTree("lead", target);
        expect(report).toMatchObject({ symlinks: 1, skipped: 2, skippedNames: ["abs", "sub/up"] });
        expect(await workspace.fs.downloadTree("lead", target, { allowOutsideLinks: true })).toMatchObject({
          symlinks: 2,
        });
      });

      test("that are not there are errors with a code", async () => {
        const { workspace } = bench;
        await expect(workspace.fs.downloadTree("none", join(local, "none"))).rejects.toMatchObject({ code: "ENOENT" });
        await expect(workspace.fs.uploadTree(join(local, "none"), "x")).rejects.toMatchObject({ code: "ENOENT" });
      });
    });
  });
}
