import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, readdir, readlink, realpath, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "vitest";
import { detailOf, expectReason, openFileServer, temporaryDirectory } from "../../helpers/file-server.ts";
import type { FileServer } from "../../helpers/file-server.ts";
import { patient } from "../../helpers/time.ts";
import { describeTree, downloadTar, uploadTar } from "../../helpers/trees.ts";

describe.runIf(process.platform === "linux")("a confined server", () => {
  let server: FileServer;
  let root: string;
  let outside: string;

  beforeEach(async () => {
    server = await openFileServer({ confine: true });
    root = server.directory;
    outside = await temporaryDirectory();
    await writeFile(join(outside, "secret"), "outside");
    await mkdir(join(root, "dir"));
    await writeFile(join(root, "dir/secret"), "inside");
    await symlink(outside, join(root, "out"));
    await symlink(join(outside, "secret"), join(root, "out-file"));
    await symlink("../../../../../../..", join(root, "up"));
    await symlink("dir", join(root, "in"));
    await symlink(join(root, "dir"), join(root, "in-absolute"));
    await symlink("in/secret", join(root, "in-twice"));
  });

  test.each([
    ["by ..", "../x/secret"],
    ["by .. behind a directory", "dir/../../x"],
    ["by an absolute path", "/etc/passwd"],
    ["through a link", "out/secret"],
    ["by a link", "out-file"],
    ["through a link up", "up/etc/passwd"],
    ["through /proc", "/proc/self/root/etc/passwd"],
  ])("refuses to read %s", async (_, path) => {
    const { client } = server;
    await expectReason(client.download({ path }), "PATH_OUTSIDE_ROOT");
    await expectReason(client.readFile({ path }), "PATH_OUTSIDE_ROOT");
    await expectReason(client.stat({ path }), "PATH_OUTSIDE_ROOT");
    await expectReason(client.list({ path }), "PATH_OUTSIDE_ROOT");
    await expectReason(client.downloadTree({ path }), "PATH_OUTSIDE_ROOT");
    await expectReason(client.search({ path }), "PATH_OUTSIDE_ROOT");
    await expectReason(client.watch({ path }), "PATH_OUTSIDE_ROOT");
  });

  test.each([
    ["by ..", "../new"],
    ["by an absolute path", "/tmp/yonder-new"],
    ["through a link", "out/new"],
    ["by a link", "out-file"],
  ])("refuses to write %s", async (_, path) => {
    const { client } = server;
    await expectReason(
      client.writeChunk({ header: { case: "file", value: { path, createParents: true } } }),
      "PATH_OUTSIDE_ROOT",
    );
    if (path === "out-file") return;
    await expectReason(client.makeDirectory({ path, parents: true }), "PATH_OUTSIDE_ROOT");
    await expectReason(client.move({ sourcePath: "dir", destinationPath: path }), "PATH_OUTSIDE_ROOT");
    await expectReason(client.copy({ sourcePath: "dir", destinationPath: path, recursive: true }), "PATH_OUTSIDE_ROOT");
    await expectReason(client.remove({ path: `${path}/../secret` }), "PATH_OUTSIDE_ROOT").catch(async () => {
      expect((await detailOf(client.remove({ path: `${path}/../secret` }))).systemCode).toBe("ENOENT");
    });
    expect(await readdir(outside)).toEqual(["secret"]);
  });

  test("follows links that stay inside, relative and absolute, and absolute paths that spell the root", async () => {
    for (const path of [
      "in/secret",
      "in-absolute/secret",
      "in-twice",
      join(root, "dir/secret"),
      "dir/../in/../dir/secret",
    ]) {
      const { chunk } = await server.client.readFile({ path });
      expect(Buffer.from(chunk?.data ?? []).toString()).toBe("inside");
    }
    await server.client.writeChunk({
      header: { case: "file", value: { path: "in/a/b", createParents: true } },
      chunk: { data: Buffer.from("x") },
      finish: {},
    });
    expect(await readFile(join(root, "dir/a/b"), "utf8")).toBe("x");
  });

  test("does everything else as an open one does", async () => {
    const { client } = server;
    await client.makeDirectory({ path: "a/b", parents: true });
    await client.copy({ sourcePath: "dir", destinationPath: "a/b/copy", recursive: true });
    await client.move({ sourcePath: "a/b/copy", destinationPath: "moved" });
    const { tar } = await downloadTar(client, { path: "moved" });
    await uploadTar(client, { path: "unpacked" }, tar);
    expect(describeTree(join(root, "unpacked"))).toEqual(describeTree(join(root, "moved")));
    expect((await client.list({ depth: -1 })).files.map(({ path }) => path)).toContain("unpacked/secret");
    const found = [];
    for await (const { event } of client.search({ content: { case: "literal", value: "inside" } })) {
      if (event.case === "found") found.push(event.value.path);
    }
    expect(found).toEqual(["dir/secret", "moved/secret", "unpacked/secret"]);
    await expectReason(client.search({ content: { case: "regex", value: "x" } }), "REGEX_UNSUPPORTED");
    await client.remove({ path: "moved", recursive: true });
    await client.remove({ path: "out" });
    expect(await readdir(outside)).toEqual(["secret"]);
    expect([...server.files.features]).toEqual(["CONFINED_FILES"]);
  });

  test("lets go of its root when it is closed", async () => {
    const isOpen = async (): Promise<boolean> => {
      const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
      return (await Promise.all(links)).includes(server.directory);
    };
    expect(await isOpen()).toBe(true);
    await server.close();
    expect(await isOpen()).toBe(false);
  });

  test("leaves no descriptor open", async () => {
    const { client } = server;
    const count = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    await client.stat({ path: "in-twice" });
    const before = await count();
    for (let round = 0; round < 20; round++) {
      await client.stat({ path: "in/../dir/secret" });
      await detailOf(client.stat({ path: "out/secret" }));
      await detailOf(client.stat({ path: "dir/secret/below" }));
      await client.list({ depth: -1 });
    }
    await expect.poll(count, patient).toBeLessThanOrEqual(before);
  });

  test(
    "gives nothing away while a link is swapped in 10,000 times, where a check before the use does",
    { timeout: 120_000 },
    async () => {
      const { client } = server;
      const swaps = 10_000;
      const script = fileURLToPath(new URL("../../fixtures/swap-link.mjs", import.meta.url));
      let [ours, caught, isOver] = [0, 0, false];
      const swapper = async (): Promise<void> => {
        // Until the control was caught: then the race is real.
        for (let round = 0; round < 20 && (round < 3 || caught === 0); round++) {
          const child = spawn(process.execPath, [script, join(root, "dir"), outside, String(swaps)], {
            stdio: "ignore",
          });
          const [code] = (await once(child, "exit")) as [number];
          expect(code).toBe(0);
        }
        isOver = true;
      };
      const read = async (): Promise<void> => {
        while (!isOver) {
          const result = await client.readFile({ path: "dir/secret" }).catch(() => undefined);
          if (result !== undefined) expect(Buffer.from(result.chunk?.data ?? []).toString()).toBe("inside");
          ours++;
        }
      };
      const write = async (): Promise<void> => {
        for (let count = 0; !isOver; count++) {
          const header = { case: "file" as const, value: { path: `dir/new${count % 10}` } };
          await client.writeChunk({ header, chunk: { data: Buffer.from("x") }, finish: {} }).catch(() => {});
          await client.remove({ path: `dir/new${count % 10}` }).catch(() => {});
        }
      };
      const control = async (): Promise<void> => {
        while (!isOver)
          if ((await readAfterCheck(join(root, "dir/secret"), root).catch(() => "")) === "outside") caught++;
      };
      await Promise.all([swapper(), read(), read(), write(), control(), control()]);
      expect(ours).toBeGreaterThan(100);
      expect(caught).toBeGreaterThan(0);
      expect(await readdir(outside)).toEqual(["secret"]);
    },
  );
});

/** What ours must not do: look where a path leads, then open it. */
async function readAfterCheck(path: string, root: string): Promise<string> {
  if (!(await realpath(path)).startsWith(`${root}/`)) return "";
  const handle = await open(path);
  try {
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}
