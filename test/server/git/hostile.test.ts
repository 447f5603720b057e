import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectReason } from "../../helpers/file-server.ts";
import { changesOf, openGitServer, sidesOf, type GitServer } from "../../helpers/git-server.ts";
import { makeRepository, temporaryDirectory, type Repository } from "../../helpers/repositories.ts";

/** A repository whose configuration runs a program wherever git lets it; each leaves its name in a directory. */
function hostileRepository(): { repository: Repository; ran: () => string[] } {
  const repository = makeRepository();
  const traces = temporaryDirectory();
  const program = join(temporaryDirectory(), "program");
  writeFileSync(program, `#!/bin/sh\ntouch '${traces}/'"$1"\ncat\n`);
  chmodSync(program, 0o755);
  repository.write(".gitattributes", "*.a filter=one diff=two\n*.b filter=pro.cess merge=three\n");
  for (const name of ["x.a", "x.b", "x.c"]) repository.write(name, "1\n");
  repository.commit();
  const settings: Record<string, string> = {
    "core.fsmonitor": `${program} fsmonitor`,
    "core.pager": `${program} pager`,
    "core.editor": `${program} editor`,
    "core.sshCommand": `${program} ssh`,
    "core.askPass": `${program} askpass`,
    "core.hooksPath": traces,
    "diff.external": `${program} external`,
    "diff.two.command": `${program} diff-command`,
    "diff.two.textconv": `${program} textconv`,
    "filter.one.clean": `${program} clean`,
    "filter.one.smudge": `${program} smudge`,
    "filter.one.required": "true",
    "filter.pro.cess.process": `${program} process`,
    "gpg.program": `${program} gpg`,
    "log.showSignature": "true",
    "credential.helper": `!${program} credential`,
    "uploadpack.packObjectsHook": `${program} pack`,
    "alias.diff": `!${program} alias`,
    "status.showUntrackedFiles": "no",
    "status.relativePaths": "false",
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.renames": "false",
    "diff.orderFile": program,
    "diff.relative": "true",
    "color.ui": "always",
    "core.quotePath": "true",
  };
  for (const [key, value] of Object.entries(settings)) repository.git("config", key, value);
  // Written anew, so that git has to look into each.
  for (const name of ["x.a", "x.b", "x.c"]) repository.write(name, "2\n");
  repository.write("new.a", "1\n");
  return { repository, ran: () => readdirSync(traces) };
}

async function readEverything({ client }: GitServer): Promise<void> {
  await client.listChanges({});
  await client.listChanges({ commit: "HEAD" });
  for (const path of ["x.a", "x.b", "x.c", "new.a"]) await client.getDiff({ path });
  await client.getDiff({ path: "x.a", commit: "HEAD" });
  await client.getStatus({ includeIgnored: true });
  await client.listCommits({ revision: "main", changedPath: { path: "x.a" } });
  await client.listBranches({ includeRemote: true });
}

test("no read runs anything that the repository configures", async () => {
  const { repository, ran } = hostileRepository();
  await readEverything(await openGitServer(repository.path));
  expect(ran()).toEqual([]);
  // The control: git by itself does.
  repository.git("status");
  expect(ran()).toContain("fsmonitor");
});

test("what a repository configures changes no answer", async () => {
  const { repository } = hostileRepository();
  const server = await openGitServer(repository.path);
  expect(await changesOf(server)).toEqual(["ADDED new.a", "UPDATED x.a", "UPDATED x.b", "UPDATED x.c"]);
  expect(await sidesOf(server, "x.a")).toEqual({ status: "UPDATED", original: "1\n", modified: "2\n" });
  const { unifiedDiff } = await server.client.getDiff({ path: "x.a" });
  expect(Buffer.from(unifiedDiff).toString()).toMatch(
    /^diff --git a\/x\.a b\/x\.a\nindex [0-9a-f]+\.\.[0-9a-f]+ 100644\n--- a\/x\.a\n\+\+\+ b\/x\.a\n@@/,
  );
  expect((await server.client.getStatus({})).entries.length).toBe(4);
});

test("a filter of the machine's own configuration does run: a repository only names it", async () => {
  const repository = makeRepository();
  repository.write(".gitattributes", "*.up filter=upper\n");
  repository.git("config", "--global", "filter.upper.clean", "tr a-z A-Z");
  repository.git("config", "--global", "filter.upper.smudge", "tr A-Z a-z");
  repository.write("x.up", "text\n");
  repository.commit();
  repository.write("x.up", "text\n");
  const server = await openGitServer(repository.path);
  expect(await changesOf(server)).toEqual([]);
  expect(await sidesOf(server, "x.up")).toMatchObject({ original: "text\n", modified: "text\n" });
  repository.git("config", "--global", "--remove-section", "filter.upper");
});

test("no read takes a lock, and a lock that is held stops none", async () => {
  const repository = makeRepository();
  repository.write("a", "1\n");
  repository.commit();
  repository.write("a", "2\n");
  writeFileSync(join(repository.path, ".git/index.lock"), "held");
  chmodSync(join(repository.path, ".git"), 0o555);
  const server = await openGitServer(repository.path);
  expect(await changesOf(server)).toEqual(["UPDATED a"]);
  await readEverything(server).catch(() => {});
  expect((await server.client.getStatus({})).entries.length).toBe(1);
  chmodSync(join(repository.path, ".git"), 0o755);
  expect(readdirSync(join(repository.path, ".git")).filter((name) => name.endsWith(".lock"))).toEqual(["index.lock"]);
});

test("a confined server reads and writes no repository that leads out, by a .git file, a worktree or a link", async () => {
  const outside = makeRepository(join(temporaryDirectory(), "outside"));
  outside.write("secret", "1\n");
  outside.commit();
  const root = temporaryDirectory();
  const inside = makeRepository(join(root, "inside"));
  inside.write("a", "1\n");
  inside.commit();
  inside.write("a", "2\n");
  mkdirSync(join(root, "file"));
  writeFileSync(join(root, "file/.git"), `gitdir: ${outside.path}/.git\n`);
  outside.git("worktree", "add", "-q", "-b", "side", join(root, "worktree"));
  symlinkSync(outside.path, join(root, "link"));
  const worktreeOf = makeRepository(join(root, "moved"));
  worktreeOf.git("config", "core.worktree", outside.path);
  const server = await openGitServer(root, { confine: root });
  expect(await changesOf(server, "inside")).toEqual(["UPDATED a"]);
  expect(await sidesOf(server, "inside/a")).toMatchObject({ original: "1\n", modified: "2\n" });
  for (const path of ["file", "worktree", "link", "moved", "..", outside.path]) {
    await expectReason(server.client.listChanges({ path }), "PATH_OUTSIDE_ROOT");
    await expectReason(server.client.getStatus({ path }), "PATH_OUTSIDE_ROOT");
    await expectReason(server.client.listCommits({ path }), "PATH_OUTSIDE_ROOT");
    await expectReason(server.client.listBranches({ path }), "PATH_OUTSIDE_ROOT");
    await expectReason(server.client.getDiff({ path: `${path}/secret` }), "PATH_OUTSIDE_ROOT");
    await expectReason(server.client.commit({ path, message: "x", allowEmpty: true }), "PATH_OUTSIDE_ROOT");
    await expectReason(server.client.checkout({ path, revision: "x" }), "PATH_OUTSIDE_ROOT");
    await expectReason(server.client.fetch({ path }), "PATH_OUTSIDE_ROOT");
  }
  await expectReason(server.client.cloneRepository({ url: inside.path, path: "../out" }), "PATH_OUTSIDE_ROOT");
  await expectReason(server.client.cloneRepository({ url: inside.path, path: "link/out" }), "PATH_OUTSIDE_ROOT");
  expect(existsSync(join(outside.path, "out"))).toBe(false);
  const { comparisons } = await server.client.listChanges({ path: "." });
  expect(comparisons.filter(({ problem }) => problem !== "").map(({ path }) => path)).toEqual([
    "file",
    "moved",
    "worktree",
  ]);
});
