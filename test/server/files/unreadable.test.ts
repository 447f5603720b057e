import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { RemoteWorkspace } from "../../../client/src/index.ts";
import { temporaryDirectory } from "../../helpers/file-server.ts";
import { nobody } from "../../helpers/nobody.ts";
import { serve } from "../../helpers/serve.ts";
import { connect } from "../../helpers/workspaces.ts";

/** A server that is not root, over a tree in which others own what it may not read. */
async function serveUnreadable(): Promise<RemoteWorkspace> {
  const server = await serve({ uid: nobody as number });
  const tree = join(server.workingDirectory, "tree");
  await mkdir(join(tree, "closed"), { recursive: true });
  await mkdir(join(tree, "names-only"));
  await writeFile(join(tree, "closed/inner"), "needle");
  await writeFile(join(tree, "names-only/inner"), "needle");
  await writeFile(join(tree, "file"), "needle", { mode: 0o600 });
  await writeFile(join(tree, "open"), "needle");
  await chmod(join(tree, "closed"), 0o700);
  await chmod(join(tree, "names-only"), 0o744);
  return connect({ host: server.url });
}

describe.skipIf(nobody === undefined)("what the server may not read", () => {
  test("is counted and named by a tree's download, which brings the rest", async () => {
    const workspace = await serveUnreadable();
    const target = await temporaryDirectory();
    const report = await workspace.fs.downloadTree("tree", join(target, "tree"));
    expect((await readdir(join(target, "tree"), { recursive: true })).toSorted()).toEqual([
      "closed",
      "names-only",
      "open",
    ]);
    expect(report).toMatchObject({ files: 1, directories: 3, skipped: 3 });
    expect(report.skippedNames.toSorted()).toEqual(["closed", "file", "names-only/inner"]);
  });

  test("is listed as far as it can be", async () => {
    const workspace = await serveUnreadable();
    expect(await workspace.fs.readdir("tree", { recursive: true })).toEqual(["closed", "file", "names-only", "open"]);
  });

  test("is counted by a search", async () => {
    const workspace = await serveUnreadable();
    const { matches, unreadableFiles } = await workspace.fs.search({ path: "tree", text: "needle" });
    expect(matches.map(({ path }) => path)).toEqual(["open"]);
    expect(unreadableFiles).toBe(3);
  });

  test("ends a copy, and a move to another file system, which leaves the source and no half of a copy", async () => {
    const workspace = await serveUnreadable();
    await expect(workspace.fs.cp("tree", "copy", { recursive: true })).rejects.toMatchObject({ code: "EACCES" });
    const other = await mkdtemp("/dev/shm/yonder-files-");
    onTestFinished(() => rm(other, { recursive: true, force: true }));
    await chmod(other, 0o777);
    await expect(workspace.fs.rename("tree", join(other, "tree"))).rejects.toMatchObject({ code: "EACCES" });
    expect(await readdir(other)).toEqual([]);
    expect(await workspace.fs.readFile("tree/open", "utf8")).toBe("needle");
  });
});
