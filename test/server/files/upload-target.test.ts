import { chmod, lstat, mkdir, readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectReason, openFileServer, partsIn } from "../../helpers/file-server.ts";
import { chunk, finish, header, parts } from "../../helpers/upload-parts.ts";

describe("the target", () => {
  test("that is a directory, a pipe or below a file is a typed error, and nothing is left", async () => {
    const { client, directory } = await openFileServer();
    await mkdir(join(directory, "d"));
    await writeFile(join(directory, "file"), "");
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [join(directory, "pipe")]);
    const upload = (path: string): Promise<unknown> =>
      client.writeChunk({ header: { case: "file", value: { path, createParents: true } } });
    for (const path of ["d", "d/", "new/", "file/"])
      expect((await expectReason(upload(path), "IS_A_DIRECTORY")).systemCode).toBe("EISDIR");
    expect((await expectReason(upload("x".repeat(256)), "FILE_SYSTEM_REFUSED")).systemCode).toBe("ENAMETOOLONG");
    await expectReason(upload("pipe"), "NOT_A_REGULAR_FILE");
    for (const path of ["file/below", "file/far/below"]) await expectReason(upload(path), "NOT_A_DIRECTORY");
    await expectReason(client.writeChunk({ header: { case: "file", value: { path: "no/such/f" } } }), "FILE_NOT_FOUND");
    expect(await partsIn(directory)).toEqual([]);
  });

  test("that became a link is replaced by a file that others may not write", async () => {
    const { client, directory } = await openFileServer();
    const value = { path: "f", uploadId: "u" };
    await client.writeChunk({ header: { case: "file", value }, chunk: { data: Buffer.from("x") } });
    await symlink("elsewhere", join(directory, "f"));
    await client.writeChunk({ uploadId: "u", finish: {} });
    expect((await lstat(join(directory, "f"))).mode & 0o777).toBe(0o666 & ~process.umask());
  });

  test("that is a link keeps the link and replaces what it leads to, there or not", async () => {
    const { client, directory } = await openFileServer();
    await mkdir(join(directory, "real"));
    await writeFile(join(directory, "real/f"), "old");
    await symlink("real/f", join(directory, "link"));
    await symlink("real/new", join(directory, "dangling"));
    for (const path of ["link", "dangling"]) {
      await client.writeChunk({
        header: { case: "file", value: { path } },
        chunk: { data: Buffer.from("new") },
        finish: {},
      });
    }
    expect(await readFile(join(directory, "real/f"), "utf8")).toBe("new");
    expect(await readFile(join(directory, "real/new"), "utf8")).toBe("new");
  });

  test("keeps its mode where none is given", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "f"), "old");
    await chmod(join(directory, "f"), 0o754);
    await client.writeChunk({
      header: { case: "file", value: { path: "f" } },
      chunk: { data: Buffer.from("new") },
      finish: {},
    });
    expect((await stat(join(directory, "f"))).mode & 0o7777).toBe(0o754);
  });

  test("is written with if_absent only where nothing is, also when it came meanwhile", async () => {
    const { client, directory } = await openFileServer();
    const value = { path: "f", uploadId: "u", ifAbsent: true };
    await client.writeChunk({ header: { case: "file", value }, chunk: { data: Buffer.from("x") } });
    await writeFile(join(directory, "f"), "another's");
    const detail = await expectReason(client.writeChunk({ uploadId: "u", finish: {} }), "FILE_EXISTS");
    expect(detail.systemCode).toBe("EEXIST");
    await expectReason(
      client.writeChunk({ header: { case: "file", value: { path: "f", ifAbsent: true } } }),
      "FILE_EXISTS",
    );
    expect(await readFile(join(directory, "f"), "utf8")).toBe("another's");
    expect(await partsIn(directory)).toEqual([]);
  });

  test("is written with if_match only where it has that etag; the error tells the present one", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "f"), "one");
    const { file } = await client.stat({ path: "f" });
    const ifMatch = file?.etag ?? "";
    await client.writeChunk({
      header: { case: "file", value: { path: "f", ifMatch } },
      chunk: { data: Buffer.from("two") },
      finish: {},
    });
    const again = client.writeChunk({ header: { case: "file", value: { path: "f", ifMatch } } });
    const detail = await expectReason(again, "ETAG_MISMATCH");
    expect(detail.etag).toBe((await client.stat({ path: "f" })).file?.etag);
  });

  test("of several uploads at once is one of them as a whole", async () => {
    const { client, directory } = await openFileServer();
    const contents = Array.from({ length: 12 }, (_, index) => Buffer.alloc(100_000, index));
    await Promise.all(
      contents.map((data) =>
        client.upload(
          parts(
            header({ path: "f" }),
            chunk(data.subarray(0, 50_000), 0),
            chunk(data.subarray(50_000), 50_000),
            finish(),
          ),
        ),
      ),
    );
    const result = await readFile(join(directory, "f"));
    expect(contents.some((data) => data.equals(result))).toBe(true);
    expect(await partsIn(directory)).toEqual([]);
  });

  test("is never seen half by a reader while it is replaced again and again", async () => {
    const { client, directory } = await openFileServer();
    const path = join(directory, "f");
    await writeFile(path, Buffer.alloc(200_000, 1));
    let done = false;
    const reader = (async () => {
      let reads = 0;
      while (!done) {
        const data = await readFile(path);
        expect(data.length).toBe(200_000);
        expect(data[0]).toBe(data.at(-1));
        reads++;
      }
      return reads;
    })();
    for (let round = 2; round < 40; round++) {
      const data = Buffer.alloc(200_000, round);
      await client.upload(
        parts(
          header({ path: "f" }),
          chunk(data.subarray(0, 90_000), 0),
          chunk(data.subarray(90_000), 90_000),
          finish(),
        ),
      );
    }
    done = true;
    expect(await reader).toBeGreaterThan(10);
  });

  test("with a name of the single byte 0xFF is uploaded, told, and removed", async () => {
    const { client, directory } = await openFileServer();
    const rawPath = Buffer.from([0xff]);
    const { upload } = await client.writeChunk({
      header: { case: "file", value: { rawPath } },
      chunk: { data: Buffer.from("x") },
      finish: {},
    });
    expect(Buffer.from(upload?.file?.rawPath ?? "").at(-1)).toBe(0xff);
    expect(await readdir(directory, { encoding: "buffer" })).toEqual([rawPath]);
    const { file } = await client.stat({ rawPath });
    expect(file?.sizeBytes).toBe(1n);
    const { files } = await client.list({});
    expect(files.map((entry) => Buffer.from(entry.rawPath))).toEqual([rawPath]);
    expect(await client.remove({ rawPath })).toMatchObject({ removed: true });
  });
});
