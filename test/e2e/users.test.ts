import { randomBytes } from "node:crypto";
import { chownSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { FileService, FileUploadState, GitService, UploadRequestSchema } from "@yonder/proto";
import { describe, expect, onTestFinished, test } from "vitest";
import { LocalWorkspace } from "../../client/src/local-workspace.ts";
import { execServer } from "../helpers/exec-server.ts";
import { expectReason, partsIn } from "../helpers/file-server.ts";
import { nobody } from "../helpers/nobody.ts";
import { openRepository } from "../helpers/repositories.ts";
import { gone, serve } from "../helpers/serve.ts";
import type { ServedWorkspace, ServeOptions } from "../helpers/serve.ts";
import { commandLineOf, environmentOf, idsOf, userProcesses } from "../helpers/user-processes.ts";
import { until } from "../helpers/until.ts";
import { wires } from "../helpers/wires.ts";
import { connect } from "../helpers/workspaces.ts";

const shared = execServer({});
const uid = nobody ?? 0;
const user = String(uid);
const MIB = 1024 * 1024;

/** A server that runs as root, over a directory of somebody else's. */
async function serveRoot(options: ServeOptions = {}): Promise<ServedWorkspace> {
  const served = await serve(options);
  chownSync(served.workingDirectory, uid, uid);
  return served;
}

/** A workspace of that user's, in a directory of its own on the server that most of these tests share. */
async function open() {
  await chmod(shared.directory, 0o755);
  const directory = await mkdtemp(join(shared.directory, "test-"));
  chownSync(directory, uid, uid);
  const workspace = await connect({ host: shared.served.url, workingDir: directory, defaults: { user } });
  return { served: shared.served, directory, workspace, at: (name: string) => join(directory, name) };
}

/** The same on a server of the test's own. */
async function openAlone(options: ServeOptions = {}) {
  const served = await serveRoot(options);
  const workspace = await connect({ host: served.url, defaults: { user } });
  return { served, workspace };
}

function stubs({ url }: ServedWorkspace) {
  const transport = createGrpcTransport({ baseUrl: url });
  return { files: createClient(FileService, transport), git: createClient(GitService, transport) };
}

/** Whose everything below a directory is. */
async function owners(directory: string): Promise<Set<string>> {
  const names = await readdir(directory, { recursive: true });
  const stats = await Promise.all(names.map((name) => stat(join(directory, name))));
  return new Set(stats.map(({ uid, gid }) => `${uid}:${gid}`));
}

describe.skipIf(nobody === undefined)("as another user", () => {
  test.each(wires)("what is made belongs to that user, over %s", async (_, wire) => {
    const { directory } = await open();
    const workspace = await connect({ host: shared.served.url, ...wire, workingDir: directory, defaults: { user } });
    const { fs } = workspace;
    const large = randomBytes(9 * MIB);
    await fs.writeFile("small", "s");
    await fs.writeFile("by/the/way", "w");
    expect(await workspace.fileUpload(large, "from-memory")).toMatchObject({ success: true });
    const local = await mkdtemp(join(tmpdir(), "yonder-users-"));
    onTestFinished(() => rm(local, { recursive: true, force: true }));
    await mkdir(join(local, "tree/below"), { recursive: true });
    await writeFile(join(local, "large"), large);
    await writeFile(join(local, "tree/below/file"), "f");
    expect(await workspace.fileUpload(join(local, "large"), "streamed")).toMatchObject({ success: true });
    await fs.uploadTree(join(local, "tree"), "tree");
    await fs.writeFiles([{ path: "many/one", data: "1" }]);
    await fs.mkdir("made/deeply", { recursive: true });
    await fs.cp("tree", "copied", { recursive: true });
    await fs.rename("small", "moved");

    expect(await owners(directory)).toEqual(new Set([`${uid}:${uid}`]));
    expect((await fs.stat("moved")).uid).toBe(uid);
    expect(large.equals(await fs.readFile("streamed"))).toBe(true);
    expect(await workspace.fileDownload("streamed", join(local, "back"))).toMatchObject({ success: true });
    expect(large.equals(readFileSync(join(local, "back")))).toBe(true);
    await fs.downloadTree("copied", join(local, "copied"));
    expect(readFileSync(join(local, "copied/below/file"), "utf8")).toBe("f");
    await fs.rm("tree", { recursive: true });
    expect(await fs.exists("tree")).toBe(false);
  });

  test("the kernel refuses what it refuses that user, though the server is root", async () => {
    const { workspace, at } = await open();
    const { fs } = workspace;
    await writeFile(at("secret"), "of root", { mode: 0o600 });
    await mkdir(at("roots"), { mode: 0o755 });
    await mkdir(at("closed"), { mode: 0o700 });
    await writeFile(at("closed/inside"), "of root");

    const denied = { reason: "ACCESS_DENIED", code: "EACCES" };
    await expect(fs.readFile("secret")).rejects.toMatchObject(denied);
    await expect(fs.writeFile("roots/new", "n")).rejects.toMatchObject(denied);
    await expect(fs.writeFile("roots/new", randomBytes(9 * MIB))).rejects.toMatchObject(denied);
    await expect(fs.mkdir("roots/directory")).rejects.toMatchObject(denied);
    await expect(fs.cp("secret", "copy")).rejects.toMatchObject(denied);
    await expect(fs.stat("closed/inside")).rejects.toMatchObject(denied);
    await expect(fs.readdir("closed")).rejects.toMatchObject(denied);
    await expect(fs.rm("closed/inside")).rejects.toMatchObject(denied);
    await expect(fs.uploadTree([{ path: "a", data: "a" }], "roots")).rejects.toMatchObject(denied);
    expect(await workspace.fileUpload(at("secret"), "roots/new")).toMatchObject({ success: false, code: "EACCES" });
    expect(await workspace.fileDownload("secret")).toMatchObject({ success: false, code: "EACCES" });
    expect(await readdir(at("roots"))).toEqual([]);

    const found = await fs.search({ text: "of root" });
    expect(found.matches).toEqual([]);
    // The server's own may do all that.
    expect(await fs.readFile("secret", { encoding: "utf8", user: "" })).toBe("of root");
    expect(await fs.readFile("secret", { encoding: "utf8", user: "root" })).toBe("of root");
  });

  test("files can be found and watched", async () => {
    const { workspace, at } = await open();
    const { fs } = workspace;
    await fs.writeFile("src/a.txt", "needle\n");
    const { matches } = await fs.search({ text: "needle" });
    expect(matches.map(({ path }) => path)).toEqual(["src/a.txt"]);
    expect(await fs.readdir(".", { recursive: true })).toEqual(["src", "src/a.txt"]);

    const abort = new AbortController();
    const ready = Promise.withResolvers<void>();
    const seen: string[] = [];
    const watching = (async () => {
      const options = { recursive: true, signal: abort.signal, onReady: ready.resolve };
      for await (const event of fs.watch(".", options)) {
        if (event.type !== "resync") seen.push(`${event.type} ${String(event.path)}`);
        if (seen.includes("created src/b.txt")) return;
      }
    })();
    await ready.promise;
    writeFileSync(at("src/b.txt"), "b");
    await watching;
  });

  test("git commits, clones and reads as that user", async () => {
    const { directory, workspace, at } = await open();
    const { git } = workspace;
    openRepository(directory).git("init", "-q", "-b", "main", "repo");
    // Of root still: who reads is not asked whose it is, who writes must be allowed to.
    expect((await git.status("repo")).branch).toBe("main");
    const author = { name: "Dev", email: "dev@example.com" };
    await workspace.fs.writeFile("a.txt", "a");
    await expect(git.commit("refused", { path: "repo", allowEmpty: true, author })).rejects.toThrow(
      /permission|denied/i,
    );
    for (const name of ["repo", ...(await readdir(at("repo"), { recursive: true })).map((name) => `repo/${name}`)]) {
      chownSync(at(name), uid, uid);
    }
    await workspace.fs.writeFile("repo/a.txt", "a");
    const commit = await git.commit("first", { path: "repo", all: true, author });
    expect(commit.author).toBe("Dev");
    expect(await workspace.gitChanges("repo")).toEqual([]);
    await git.checkout(undefined, { path: "repo", newBranch: "other" });
    expect((await git.commits("repo")).map(({ subject }) => subject)).toEqual(["first"]);
    const cloned = await git.cloneRepository(at("repo"), { path: "cloned" });
    expect(cloned.branch).toBe("other");
    await git.fetch({ path: "cloned" });
    expect(await owners(at("repo"))).toEqual(new Set([`${uid}:${uid}`]));
    expect(await owners(at("cloned"))).toEqual(new Set([`${uid}:${uid}`]));
  });

  test("git reads that user's own configuration and runs hooks as that user", async () => {
    const { directory, workspace, at } = await open();
    await workspace.fs.writeFile("repo/a.txt", "a");
    const script = `git init -q -b main repo && printf '#!/bin/sh\\nid -u >../../who\\necho "$HOME" >>../../who\\n' >repo/.git/hooks/pre-commit
      chmod 755 repo/.git/hooks/pre-commit; cd repo/.git/hooks && sed -i 's,\\.\\./\\.\\.,${directory},' pre-commit`;
    expect((await workspace.executeCommand(script, { check: true })).exitCode).toBe(0);
    const author = { name: "Dev", email: "dev@example.com" };
    await workspace.git.commit("hooked", { path: "repo", all: true, author, hooks: true });
    const { stdout: home } = await workspace.executeCommand('echo "$HOME"');
    expect(readFileSync(at("who"), "utf8")).toBe(`${uid}\n${home}`);
  });

  test("an upload goes on after the server was killed, for that user alone", async () => {
    const served = await serveRoot();
    const data = randomBytes(2 * MIB);
    const [first, second] = [data.subarray(0, MIB), data.subarray(MIB)];
    const piece = (offset: number, part: Buffer) => ({ offset: BigInt(offset), data: part, crc32: crc32(part) });
    const header = { case: "file" as const, value: { uploadId: "u", path: "file", user } };
    const begun = stubs(served).files;
    await begun.writeChunk({ header, chunk: piece(0, first) });
    await expectReason(begun.getUpload({ uploadId: "u" }), "UPLOAD_NOT_FOUND");
    const [pid = 0] = userProcesses(served.pid);
    await served.restart("SIGKILL");
    await gone(pid);
    const { files } = stubs(served);
    // Whose upload waits is worked for from the start, so that it is given up in time.
    await until(() => userProcesses(served.pid).length === 1);
    expect((await files.getUpload({ uploadId: "u", user })).upload).toMatchObject({ committedBytes: BigInt(MIB) });
    const { upload } = await files.writeChunk({ uploadId: "u", user, chunk: piece(MIB, second), finish: {} });
    expect(upload?.state).toBe(FileUploadState.FINISHED);
    const path = join(served.workingDirectory, "file");
    expect(readFileSync(path).equals(data)).toBe(true);
    expect(statSync(path).uid).toBe(uid);
  });

  test("an upload that is given up leaves nothing", async () => {
    const { served, directory, workspace, at } = await open();
    const abort = new AbortController();
    const endless = async function* () {
      for (let count = 0; ; count++) {
        if (count === 8) abort.abort();
        yield randomBytes(MIB);
      }
    };
    await expect(workspace.fs.writeFile("never", endless(), { signal: abort.signal })).rejects.toMatchObject({
      name: "AbortError",
    });
    const { files } = stubs(served);
    await files.writeChunk({ header: { case: "file", value: { uploadId: "v", path: at("never"), user } } });
    expect((await files.abortUpload({ uploadId: "v", user })).aborted).toBe(true);
    await until(async () => (await partsIn(directory)).length === 0);
    expect(await readdir(directory)).toEqual([]);
  });

  test("a transfer goes on after that user's process was killed", async () => {
    const { served, workspace, at } = await open();
    const local = await mkdtemp(join(tmpdir(), "yonder-users-"));
    onTestFinished(() => rm(local, { recursive: true, force: true }));
    const data = randomBytes(32 * MIB);
    await writeFile(join(local, "large"), data);
    const killed: number[] = [];
    const kill = (): void => {
      const [pid] = userProcesses(served.pid);
      if (killed.length > 0 || pid === undefined) return;
      killed.push(pid);
      process.kill(pid, "SIGKILL");
    };
    const { success } = await workspace.fileUpload(join(local, "large"), "large", {
      onProgress: ({ transferredBytes }) => (transferredBytes > 8 * MIB ? kill() : undefined),
    });
    expect(success).toBe(true);
    expect(killed).toHaveLength(1);
    expect(readFileSync(at("large")).equals(data)).toBe(true);
    killed.length = 0;
    await workspace.fileDownload("large", join(local, "back"), {
      onProgress: ({ transferredBytes }) => (transferredBytes > 8 * MIB ? kill() : undefined),
    });
    expect(killed).toHaveLength(1);
    expect(readFileSync(join(local, "back")).equals(data)).toBe(true);
  });

  test("the process has that user's rights, and nothing of the server's secrets or descriptors", async () => {
    const key = "k".repeat(40);
    const served = await serveRoot({ env: { YONDER_SERVER_API_KEYS: key, SESSION_API_KEY: "s3cret" } });
    const workspace = await connect({ host: served.url, apiKey: key, defaults: { user } });
    await workspace.fs.writeFile("a", "a");
    const terminal = await workspace.spawn("cat", { user: "", terminal: {} });
    await workspace.fs.stat("a", { user: `${uid}:1` });
    const pids = userProcesses(served.pid);
    expect(pids).toHaveLength(2);
    for (const pid of pids) {
      expect(idsOf(pid)).toEqual({ uids: [uid, uid, uid, uid], groups: [], capabilities: 0n });
      const environment = environmentOf(pid);
      expect(Object.keys(environment).filter((name) => /^YONDER|SESSION/.test(name))).toEqual([]);
      expect(JSON.stringify(environment)).not.toContain(key);
      expect(commandLineOf(pid)).not.toContain(key);
      expect(environment["HOME"]).not.toBe(process.env["HOME"]);
    }
    await terminal.kill();
  });

  test("the process ends when nothing of it is remembered any more, and another begins", async () => {
    const { served, workspace } = await openAlone({
      flags: ["--request-retention=300ms", "--watch-reconnect-grace=100ms", "--upload-retention=1s"],
    });
    await workspace.fs.writeFile("a", randomBytes(32 * MIB));
    const [pid = 0] = userProcesses(served.pid);
    // Streams that are left in their midst do not hold it.
    const ready = Promise.withResolvers<void>();
    const watch = workspace.fs.watch(".", { onReady: ready.resolve });
    const event = watch.next();
    await ready.promise;
    await workspace.fs.writeFile("b", "b");
    await event;
    await watch.return(undefined);
    for await (const _ of workspace.fs.readStream("a")) break;
    await expect(workspace.fs.readFile("no-such-file")).rejects.toMatchObject({ code: "ENOENT" });
    await gone(pid);
    await until(async () => (await readdir(join(served.stateDirectory, "users"))).length === 0);
    expect(served.isRunning).toBe(true);
    await workspace.fs.writeFile("b", "b");
    expect(userProcesses(served.pid)).not.toEqual([pid]);
  });

  test.each(["SIGTERM", "SIGKILL"] as const)("nothing is left when the server ends by %s", async (signal) => {
    const { served, workspace } = await openAlone();
    await workspace.fs.writeFile("a", "a");
    const watched = workspace.fs.watch(".");
    const next = watched.next().catch(() => {});
    const [pid = 0] = userProcesses(served.pid);
    await served.stop(signal);
    await gone(pid);
    await workspace.close();
    await next;
  });

  test("there are no more such users than the limit says", async () => {
    const { served, workspace } = await openAlone({ flags: ["--max-users=1"] });
    await workspace.fs.mkdir("d");
    const refused = await expectReason(stubs(served).files.stat({ user: "12345" }), "LIMIT_EXCEEDED");
    expect(refused.limit).toMatchObject({ name: "max_users", value: 1n });
    expect(await workspace.fs.exists("d")).toBe(true);
  });

  test("who cannot be is refused as Exec refuses it, also in a header and for a part of it", async () => {
    const { served, at } = await open();
    const { files, git } = stubs(served);
    const nowhere = async function* () {
      yield { part: { case: "header" as const, value: { path: "a", user: "no-such-one" } } };
    };
    for (const call of [
      () => files.stat({ user: "no-such-one" }),
      () => files.upload(nowhere()),
      () => files.download({ path: "a", user: "no-such-one" }),
      () => git.getStatus({ user: "no-such-one" }),
      () => git.cloneRepository({ url: "https://example.com/a.git", user: "no-such-one" }),
    ]) {
      expect((await expectReason(call(), "USER_NOT_FOUND")).subject).toBe("no-such-one");
    }
    await expectReason(files.stat({ user: "a:b:c" }), "INVALID_FIELD");
    const unknown = { $unknown: [{ no: 999, wireType: 0, data: new Uint8Array([1]) }] };
    const strange = async function* () {
      yield { part: { case: "header" as const, value: { path: at("a"), user } } };
      yield Object.assign(create(UploadRequestSchema, { part: { case: "finish", value: {} } }), unknown);
    };
    await expectReason(files.upload(strange()), "UNKNOWN_FIELD");
    const header = { case: "file" as const, value: { path: "a", user } };
    await expectReason(files.writeChunk({ header, user: "root" }), "INVALID_FIELD");
  });

  test("a directory that the server is confined to confines that user too", async () => {
    const root = await mkdtemp(join(tmpdir(), "yonder-confined-"));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    await chmod(root, 0o700);
    const served = await serve({ flags: [`--confine=${root}`] });
    const { files } = stubs(served);
    const refused = await expectReason(files.stat({ path: root, user }), "ACCESS_DENIED");
    expect(refused.subject).toBe(root);
    chownSync(root, uid, uid);
    expect((await files.makeDirectory({ path: join(root, "d"), user })).file?.ownerId).toBe(uid);
    await expectReason(files.stat({ path: "/etc/passwd", user }), "PATH_OUTSIDE_ROOT");
  });
});

test.skipIf(nobody === undefined)(
  "a workspace within this process has such processes, too, and leaves none",
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "yonder-users-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    chownSync(directory, uid, uid);
    const workspace = await LocalWorkspace.open({ workingDir: directory, defaults: { user } });
    const [pid = 0] = await (async () => {
      await using scope = workspace;
      await scope.fs.writeFile("a", "a");
      expect(statSync(join(directory, "a")).uid).toBe(uid);
      return userProcesses(process.pid);
    })();
    expect(pid).toBeGreaterThan(0);
    expect(userProcesses(process.pid)).toEqual([]);
  },
);

describe.skipIf(nobody === undefined)("on a server that may not switch", () => {
  const server = execServer({ uid });

  test("another user is refused as Exec refuses it, and its own is itself", async () => {
    const { files, git } = stubs(server.served);
    expect((await expectReason(files.stat({ user: "root" }), "USER_UNSUPPORTED")).subject).toBe("root");
    await expectReason(git.getStatus({ user: "root" }), "USER_UNSUPPORTED");
    expect((await files.stat({ user })).file?.ownerId).toBe(uid);
    expect(userProcesses(server.served.pid)).toEqual([]);
  });
});
