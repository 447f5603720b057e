import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeDirectories } from "../../transfer/src/make-directories.ts";

async function place(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "yonder-directories-"));
  onTestFinished(async () => await rm(directory, { recursive: true, force: true }));
  return directory;
}

test("missing parents are made, and what is there already is left as it is", async () => {
  const root = await place();
  await makeDirectories(join(root, "a/b//c/"), 0o700);
  await makeDirectories(join(root, "a/b/c"));
  expect((await stat(join(root, "a/b/c"))).mode & 0o777).toBe(0o700);
});

test("a file in the place of the directory, or of a parent, is said", async () => {
  const root = await place();
  await writeFile(join(root, "file"), "");
  await expect(makeDirectories(join(root, "file"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(makeDirectories(join(root, "file/below"))).rejects.toMatchObject({ code: "ENOTDIR" });
});

test("a name that is no text is made as it is", async () => {
  const name = Buffer.concat([Buffer.from(`${await place()}/`), Buffer.from([0xff]), Buffer.from("/b")]);
  await makeDirectories(name);
  expect((await stat(name)).isDirectory()).toBe(true);
});

test.skipIf(process.platform !== "linux")(
  "a directory that cannot be under /proc is refused and not tried for ever",
  async () => {
    await expect(makeDirectories("/proc/no/such/place")).rejects.toMatchObject({ code: "ENOENT" });
  },
);
