import { execFileSync } from "node:child_process";
import { chmod, chown, lchown, lstat, mkdir, readFile, readdir, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectReason, openFileServer, temporaryDirectory } from "../../helpers/file-server.ts";
import { nobody } from "../../helpers/nobody.ts";
import { describeTree } from "../../helpers/trees.ts";
describe("Move", () => {
  test("renames files, directories and links, and replaces what has the name", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "a"), "a");
    await writeFile(join(directory, "b"), "b");
    await mkdir(join(directory, "d"));
    await symlink("nowhere", join(directory, "link"));
    await client.move({ sourcePath: "a", destinationPath: "b" });
    await client.move({ sourcePath: "d", destinationPath: "e/f/g", createParents: true });
    await client.move({ sourcePath: "link", destinationPath: "link2" });
    expect(await readFile(join(directory, "b"), "utf8")).toBe("a");
    expect((await readdir(directory)).toSorted()).toEqual(["b", "e", "link2"]);
    expect(await readlink(join(directory, "link2"))).toBe("nowhere");
  });

  test("with if_absent never replaces, and its request id makes it repeatable", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "a"), "a");
    await writeFile(join(directory, "b"), "b");
    await mkdir(join(directory, "d"));
    await expectReason(client.move({ sourcePath: "a", destinationPath: "b", ifAbsent: true }), "FILE_EXISTS");
    await expectReason(client.move({ sourcePath: "d", destinationPath: "b", ifAbsent: true }), "FILE_EXISTS");
    const request = { sourcePath: "a", destinationPath: "c", ifAbsent: true, requestId: "m" };
    const { file } = await client.move(request);
    expect((await client.move(request)).file).toEqual(file);
    await expectReason(client.move({ sourcePath: "c", destinationPath: "x", ifMatch: "other" }), "ETAG_MISMATCH");
    await client.move({ sourcePath: "c", destinationPath: "x", ifMatch: file?.etag ?? "" });
  });

  test.runIf(nobody)("with if_absent of what may not go from where it is leaves it there alone", async () => {
    const { directory } = await openFileServer();
    await chmod(directory, 0o755);
    await mkdir(join(directory, "kept"));
    await mkdir(join(directory, "open"), { mode: 0o777 });
    await chmod(join(directory, "open"), 0o777);
    await writeFile(join(directory, "kept/f"), "");
    await chown(join(directory, "kept/f"), nobody ?? 0, nobody ?? 0);
    const module = new URL("../../../server/src/files/move-if-absent.ts", import.meta.url).href;
    const program = `const { moveIfAbsent } = await import("${module}");
      await moveIfAbsent(Buffer.from("kept/f"), Buffer.from("open/f")).catch((error) => console.log(error.code));`;
    const args = ["--experimental-strip-types", "--input-type=module", "--eval", program];
    const said = execFileSync(process.execPath, args, { cwd: directory, uid: nobody, gid: nobody, encoding: "utf8" });
    expect(said).toBe("EACCES\n");
    expect(await readdir(join(directory, "kept"))).toEqual(["f"]);
    expect(await readdir(join(directory, "open"))).toEqual([]);
  });

  test("of a file over a directory, or onto one with entries, is a typed error", async () => {
    const { client, directory } = await openFileServer();
    await writeFile(join(directory, "f"), "");
    await mkdir(join(directory, "d/sub"), { recursive: true });
    await mkdir(join(directory, "e"));
    await expectReason(client.move({ sourcePath: "f", destinationPath: "d" }), "IS_A_DIRECTORY");
    await expectReason(client.move({ sourcePath: "e", destinationPath: "d" }), "DIRECTORY_NOT_EMPTY");
    await expectReason(client.move({ sourcePath: "d", destinationPath: "f" }), "NOT_A_DIRECTORY");
    await symlink("d", join(directory, "link"));
    for (const destinationPath of ["d/sub/x", "link/x"]) {
      const { subject } = await expectReason(client.move({ sourcePath: "d", destinationPath }), "INVALID_FIELD");
      expect(subject).toBe("destination_path");
    }
    const missing = { sourcePath: "no", destinationPath: "made/for/x", createParents: true };
    expect((await expectReason(client.move(missing), "FILE_NOT_FOUND")).subject).toBe(join(directory, "no"));
    expect(await readdir(directory)).not.toContain("made");
  });

  test("to another file system copies and removes", async () => {
    const { client, directory } = await openFileServer();
    const other = await temporaryDirectory("/dev/shm");
    await mkdir(join(directory, "d/sub"), { recursive: true });
    await writeFile(join(directory, "d/sub/f"), "x", { mode: 0o600 });
    const before = describeTree(join(directory, "d"));
    await client.move({ sourcePath: "d", destinationPath: join(other, "d") });
    expect(describeTree(join(other, "d"))).toEqual(before);
    expect(await readdir(directory)).toEqual([]);
  });

  test.runIf(process.getuid?.() === 0)("to another file system keeps owners", async () => {
    const { client, directory } = await openFileServer();
    const other = await temporaryDirectory("/dev/shm");
    await mkdir(join(directory, "d"));
    await writeFile(join(directory, "d/f"), "", { mode: 0o4755 });
    await chmod(join(directory, "d/f"), 0o4755);
    await symlink("f", join(directory, "d/link"));
    for (const name of ["d", "d/f", "d/link"]) await lchown(join(directory, name), 12_345, 54_321);
    await chmod(join(directory, "d/f"), 0o4755);
    await client.move({ sourcePath: "d", destinationPath: join(other, "d") });
    for (const name of ["d", "d/f", "d/link"])
      expect(await lstat(join(other, name))).toMatchObject({ uid: 12_345, gid: 54_321 });
    expect((await lstat(join(other, "d/f"))).mode & 0o7777).toBe(0o4755);
  });

  test("to another file system takes the place that a rename would take, and no other", async () => {
    const { client, directory } = await openFileServer();
    const other = await temporaryDirectory("/dev/shm");
    await mkdir(join(directory, "d"));
    await writeFile(join(directory, "d/new"), "");
    await writeFile(join(directory, "f"), "new");
    await mkdir(join(other, "full/sub"), { recursive: true });
    await mkdir(join(other, "empty"));
    await writeFile(join(other, "f"), "old");
    const move = (sourcePath: string, name: string, ifAbsent = false) =>
      client.move({ sourcePath, destinationPath: join(other, name), ifAbsent });
    await expectReason(move("d", "full"), "DIRECTORY_NOT_EMPTY");
    await expectReason(move("d", "f"), "NOT_A_DIRECTORY");
    await expectReason(move("f", "full"), "IS_A_DIRECTORY");
    await expectReason(move("d", "empty", true), "FILE_EXISTS");
    await expectReason(move("f", "f", true), "FILE_EXISTS");
    expect((await readdir(directory, { recursive: true })).toSorted()).toEqual(["d", "d/new", "f"]);
    expect((await readdir(other, { recursive: true })).toSorted()).toEqual(["empty", "f", "full", "full/sub"]);
    await move("d", "empty");
    await move("f", "f");
    expect(await readFile(join(other, "f"), "utf8")).toBe("new");
    expect((await readdir(other, { recursive: true })).toSorted()).toEqual([
      "empty",
      "empty/new",
      "f",
      "full",
      "full/sub",
    ]);
    expect(await readdir(directory)).toEqual([]);
  });

  test("to another file system of what cannot be copied leaves all as it was", async () => {
    const { client, directory } = await openFileServer();
    const other = await temporaryDirectory("/dev/shm");
    await mkdir(join(directory, "d/sub"), { recursive: true });
    await writeFile(join(directory, "d/f"), "x");
    execFileSync("mkfifo", [join(directory, "d/sub/pipe")]);
    const destinationPath = join(other, "d");
    const detail = await expectReason(client.move({ sourcePath: "d", destinationPath }), "NOT_A_REGULAR_FILE");
    expect(detail.subject).toBe(join(directory, "d/sub/pipe"));
    await expectReason(client.move({ sourcePath: "d/sub/pipe", destinationPath }), "NOT_A_REGULAR_FILE");
    expect((await readdir(join(directory, "d"), { recursive: true })).toSorted()).toEqual(["f", "sub", "sub/pipe"]);
    expect(await readdir(other)).toEqual([]);
  });
});
