import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { LocalWorkspace } from "../../../client/src/local-workspace.ts";
import type { RemoteWorkspace } from "../../../client/src/index.ts";
import { temporaryDirectory } from "../../helpers/file-server.ts";
import { serve } from "../../helpers/serve.ts";
import { connect } from "../../helpers/workspaces.ts";

async function withFile(data: string | Uint8Array): Promise<RemoteWorkspace> {
  const workspace = await connect({ host: (await serve()).url });
  await workspace.fs.writeFile("file", data);
  return workspace;
}

describe("a path here that a download goes to", () => {
  test.each([{ resume: false }, { resume: true }])("is, of a link, the file that it leads to: %o", async (options) => {
    const workspace = await withFile("new");
    const directory = await temporaryDirectory();
    mkdirSync(join(directory, "other"));
    writeFileSync(join(directory, "other/real"), "old");
    symlinkSync("other/real", join(directory, "link"));
    expect(await workspace.fileDownload("file", join(directory, "link"), options)).toMatchObject({ success: true });
    expect(readlinkSync(join(directory, "link"))).toBe("other/real");
    expect(readFileSync(join(directory, "other/real"), "utf8")).toBe("new");
    expect(readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted()).toEqual([
      "link",
      "other",
      "other/real",
    ]);
  });

  test.each([{ resume: false }, { resume: true }])(
    "is never a pipe, whose place no file takes: %o",
    async (options) => {
      const workspace = await withFile("new");
      const directory = await temporaryDirectory();
      const pipe = join(directory, "pipe");
      execFileSync("mkfifo", [pipe]);
      const result = await workspace.fileDownload("file", pipe, options);
      expect(result).toMatchObject({ success: false, code: "EINVAL", error: expect.stringContaining(pipe) as string });
      expect(lstatSync(pipe).isFIFO()).toBe(true);
      expect(readdirSync(directory)).toEqual(["pipe"]);
    },
  );
});

// Where Node's own way to make directories never ends.
test.runIf(process.platform === "linux")("a place where no directory can be ends a download at once", async () => {
  const workspace = await withFile("new");
  const result = await workspace.fileDownload("file", "/proc/none/such/file");
  expect(result).toMatchObject({
    success: false,
    code: "ENOENT",
    error: expect.stringContaining("/proc/none") as string,
  });
  await expect(workspace.fs.downloadTree(".", "/proc/none/such")).rejects.toMatchObject({ code: "ENOENT" });
});

describe("a stream that a download goes to", () => {
  test("may be closed under it, which ends the download", async () => {
    const workspace = await withFile(Buffer.alloc(4_000_000));
    const stream = new PassThrough();
    // Nobody reads: it is full after its first bytes.
    stream
      .once("pipe", () => {})
      .on("newListener", (event) => {
        if (event === "drain") setImmediate(() => stream.destroy());
      });
    await expect(workspace.fileDownload("file", stream)).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
    await expect(workspace.fileDownload("file", stream)).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
    const ended = new PassThrough();
    ended.end();
    await expect(workspace.fileDownload("file", ended)).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  });

  test("may take nothing, and an abort still ends the download", async () => {
    const workspace = await withFile(Buffer.alloc(4_000_000));
    const stream = new PassThrough();
    const abort = new AbortController();
    stream.on("newListener", (event) => {
      if (event === "drain") setImmediate(() => abort.abort());
    });
    await expect(workspace.fileDownload("file", stream, { signal: abort.signal })).rejects.toMatchObject({
      name: "AbortError",
    });
    for (const event of ["drain", "close", "error"]) expect(stream.listenerCount(event)).toBe(0);
  });

  test("gives its own error", async () => {
    const workspace = await withFile(Buffer.alloc(4_000_000));
    const stream = new PassThrough();
    stream.on("newListener", (event) => {
      if (event === "drain") setImmediate(() => stream.destroy(new Error("no more room here")));
    });
    await expect(workspace.fileDownload("file", stream)).rejects.toThrow("no more room here");
  });
});

test("memory takes no file that is larger than Node's own readFile takes, and says so before it is read", async () => {
  const there = await temporaryDirectory();
  await using workspace = await LocalWorkspace.open({ workingDir: there });
  writeFileSync(join(there, "large"), "");
  truncateSync(join(there, "large"), 2 ** 31);
  const code = "ERR_FS_FILE_TOO_LARGE";
  await expect(workspace.fs.readFile("large")).rejects.toMatchObject({
    code,
    message: expect.stringContaining("2147483648") as string,
  });
  expect(await workspace.fileDownload("large")).toMatchObject({ success: false, code });
  expect(await workspace.fs.readFile("large", { offset: 2 ** 31 - 3 })).toEqual(Buffer.alloc(3));
});

describe("a tree", () => {
  test("that is one file is that file alone, whatever lies beside it", async () => {
    const here = await temporaryDirectory();
    const workspace = await LocalWorkspace.open({ workingDir: await temporaryDirectory() });
    await using _ = workspace;
    writeFileSync(join(here, "file"), "content");
    for (let file = 0; file < 50; file++) mkdirSync(join(here, `beside-${file}`));
    mkdirSync(join(here, "file.d"));
    expect(await workspace.fs.uploadTree(join(here, "file"), "up")).toMatchObject({
      files: 1,
      directories: 0,
      unchanged: 0,
    });
    expect(await workspace.fs.readdir("up")).toEqual(["file"]);
    expect(await workspace.fs.uploadTree(join(here, "file"), "up")).toMatchObject({ files: 0, unchanged: 1 });
  });

  test("tells what of it was passed over or changed under the transfer, either way", async () => {
    const [here, there] = [await temporaryDirectory(), await temporaryDirectory()];
    await using workspace = await LocalWorkspace.open({ workingDir: there });
    for (const tree of [join(here, "up"), join(there, "down")]) {
      mkdirSync(tree);
      writeFileSync(join(tree, "log"), Buffer.alloc(3_000_000, 1));
      writeFileSync(join(tree, "rest"), Buffer.alloc(3_000_000, 2));
      execFileSync("mkfifo", [join(tree, "pipe")]);
    }
    const growing = (path: string) => ({ onProgress: () => writeFileSync(path, "more", { flag: "a" }) });
    const expected = { files: 2, skipped: 1, skippedNames: ["pipe"] };
    const up = await workspace.fs.uploadTree(join(here, "up"), "up", growing(join(here, "up/log")));
    expect(up).toMatchObject({ ...expected, changed: 1 });
    const down = await workspace.fs.downloadTree("down", join(here, "down"), growing(join(there, "down/log")));
    expect(down).toMatchObject({ ...expected, changed: 1 });
    expect(await workspace.fs.downloadTree("down", join(here, "again"))).toMatchObject({ ...expected, changed: 0 });
  });
});
