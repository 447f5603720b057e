import { chmodSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openGitServer, sidesOf, statusName, unified } from "../../helpers/git-server.ts";
import { makeRepository } from "../../helpers/repositories.ts";

test("a binary file has sizes and a flag, and no text", async () => {
  const repository = makeRepository();
  repository.write("image", Buffer.from([0x89, 0, 1, 2]));
  repository.write("same", Buffer.from([0, 0]));
  repository.write("by-attribute", "text\n");
  repository.write(".gitattributes", "by-attribute binary\n");
  repository.commit();
  repository.write("image", Buffer.from([0x89, 0, 1, 2, 3]));
  repository.write("new", Buffer.from([0]));
  repository.write("by-attribute", "texts\n");
  const { client } = await openGitServer(repository.path);
  for (const [path, before, now] of [
    ["image", 4n, 5n],
    ["same", 2n, 2n],
    ["new", undefined, 1n],
    ["by-attribute", 5n, 6n],
  ] as const) {
    const diff = await client.getDiff({ path });
    expect(diff.binary).toBe(true);
    expect([diff.original?.sizeBytes, diff.modified?.sizeBytes]).toEqual([before, now]);
    expect([diff.original?.data.length ?? 0, diff.modified?.data.length]).toEqual([0, 0]);
    expect(diff.hunks).toEqual([]);
  }
});

test("text that is not UTF-8 arrives byte for byte", async () => {
  const latin1 = Buffer.from("caf\xe9\n", "latin1");
  const repository = makeRepository();
  repository.write("file", latin1);
  repository.commit();
  repository.write("file", Buffer.concat([latin1, latin1]));
  const { client } = await openGitServer(repository.path);
  const diff = await client.getDiff({ path: "file" });
  expect(diff.binary).toBe(false);
  expect(Buffer.from(diff.original?.data ?? [])).toEqual(latin1);
  expect(Buffer.from(diff.modified?.data ?? [])).toEqual(Buffer.concat([latin1, latin1]));
});

test("a link's content is its target; becoming a file is a change of type", async () => {
  const repository = makeRepository();
  symlinkSync("target one", join(repository.path, "link"));
  symlinkSync("target", join(repository.path, "typed"));
  repository.commit();
  for (const name of ["link", "typed"]) unlinkSync(join(repository.path, name));
  symlinkSync("target two", join(repository.path, "link"));
  repository.write("typed", "target");
  symlinkSync("nowhere", join(repository.path, "new"));
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "link")).toEqual({ status: "UPDATED", original: "target one", modified: "target two" });
  expect(await sidesOf(server, "typed")).toEqual({ status: "TYPE_CHANGED", original: "target", modified: "target" });
  expect(await sidesOf(server, "new")).toEqual({ status: "ADDED", original: undefined, modified: "nowhere" });
  const { original, modified } = await server.client.getDiff({ path: "typed" });
  expect([original?.mode, modified?.mode]).toEqual([0o120000, 0o100644]);
});

test("a changed mode shows in the modes of the sides", async () => {
  const repository = makeRepository();
  repository.write("run", "1\n");
  repository.commit();
  chmodSync(join(repository.path, "run"), 0o755);
  const { client } = await openGitServer(repository.path);
  const diff = await client.getDiff({ path: "run" });
  expect([statusName(diff), diff.original?.mode, diff.modified?.mode]).toEqual(["UPDATED", 0o100644, 0o100755]);
  expect(unified(diff)).toContain("old mode 100644\nnew mode 100755\n");
});

test("a file that left the index but not the disk is compared with the base", async () => {
  const repository = makeRepository();
  repository.write("same", "1\n");
  repository.write("other", "1\n");
  repository.commit();
  repository.git("rm", "--quiet", "--cached", "same", "other");
  repository.write("other", "2\n");
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "same")).toEqual({ status: "UNCHANGED", original: "1\n", modified: "1\n" });
  expect(await sidesOf(server, "other")).toEqual({ status: "UPDATED", original: "1\n", modified: "2\n" });
  const diff = await server.client.getDiff({ path: "other" });
  expect(diff.untracked).toBe(true);
  expect(unified(diff)).toContain("-1\n+2\n");
});

test("a file that became a directory is gone, and what is in it is new", async () => {
  const repository = makeRepository();
  repository.write("thing", "1\n");
  repository.commit();
  repository.remove("thing");
  repository.write("thing/a", "2\n");
  const server = await openGitServer(repository.path);
  expect(await sidesOf(server, "thing")).toEqual({ status: "DELETED", original: "1\n", modified: undefined });
  repository.git("add", "--all");
  expect(await sidesOf(server, "thing")).toEqual({ status: "DELETED", original: "1\n", modified: undefined });
  expect(await sidesOf(server, "thing/a")).toMatchObject({ status: "ADDED", original: undefined, modified: "2\n" });
});
