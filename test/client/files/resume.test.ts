import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TransferProgress } from "../../../client/src/index.ts";
import { ownOwner } from "../../../client/src/owner.ts";
import { partsIn, temporaryDirectory } from "../../helpers/file-server.ts";
import { startProxy } from "../../helpers/proxy.ts";
import { serve } from "../../helpers/serve.ts";
import { until } from "../../helpers/until.ts";
import { connect } from "../../helpers/workspaces.ts";

const size = 6_000_000;

/** Options that abort a transfer once so many bytes have come over. */
function abortAfter(bytes: number): { signal: AbortSignal; onProgress: (progress: TransferProgress) => void } {
  const abort = new AbortController();
  return {
    signal: abort.signal,
    onProgress: ({ transferredBytes }) => {
      if (transferredBytes >= bytes) abort.abort();
    },
  };
}

/** How many bytes lie in parts below a directory. */
function arrivedIn(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const parts = names.filter((name) => name.includes(".yonder-part-")).map((name) => statSync(join(directory, name)));
  return parts.filter((stats) => stats.isFile()).reduce((sum, { size }) => sum + size, 0);
}

test("an upload that was aborted is gone on with by another workspace, and appears whole", async () => {
  const server = await serve();
  const source = join(await temporaryDirectory(), "source");
  const data = randomBytes(size);
  writeFileSync(source, data);
  const first = await connect({ host: server.url });
  const abort = new AbortController();
  const whenArrived = async ({ transferredBytes }: TransferProgress): Promise<void> => {
    if (transferredBytes < 4_000_000) return;
    await until(() => arrivedIn(server.workingDirectory) > 1_000_000);
    abort.abort();
  };
  const broken = { resume: true, signal: abort.signal, onProgress: whenArrived };
  await expect(first.fileUpload(source, "target", broken)).rejects.toThrow();
  await first.close();
  const seen: number[] = [];
  const second = await connect({ host: server.url });
  const onProgress = ({ transferredBytes }: TransferProgress) => void seen.push(transferredBytes);
  expect(await second.fileUpload(source, "target", { resume: true, onProgress })).toMatchObject({ success: true });
  expect(seen[0]).toBeGreaterThan(1_000_000);
  expect(readFileSync(join(server.workingDirectory, "target")).equals(data)).toBe(true);
  expect(await partsIn(server.workingDirectory)).toEqual([]);
});

test("a part that was damaged meanwhile is noticed by a SHA-256, and is not gone on with again", async () => {
  const server = await serve();
  const data = randomBytes(size);
  writeFileSync(join(server.workingDirectory, "source"), data);
  const directory = await temporaryDirectory();
  const target = join(directory, "target");
  const workspace = await connect({ host: server.url });
  await expect(workspace.fileDownload("source", target, { resume: true, ...abortAfter(3_000_000) })).rejects.toThrow();
  const [part = ""] = readdirSync(directory);
  writeFileSync(join(directory, part), "other bytes", { flag: "r+" });
  const again = { resume: true, digest: "sha256" } as const;
  expect(await workspace.fileDownload("source", target, again)).toMatchObject({ success: false, code: "EIO" });
  expect(readdirSync(directory)).toEqual([]);
  expect(await workspace.fileDownload("source", target, again)).toMatchObject({ success: true });
  expect(readFileSync(target).equals(data)).toBe(true);
});

test("a source that has changed meanwhile is uploaded from its first byte", async () => {
  const server = await serve();
  const source = join(await temporaryDirectory(), "source");
  writeFileSync(source, randomBytes(size));
  const workspace = await connect({ host: server.url });
  await expect(workspace.fileUpload(source, "target", { resume: true, ...abortAfter(4_000_000) })).rejects.toThrow();
  const data = randomBytes(size);
  writeFileSync(source, data);
  utimesSync(source, 1, 1);
  expect(await workspace.fileUpload(source, "target", { resume: true })).toMatchObject({ success: true });
  expect(readFileSync(join(server.workingDirectory, "target")).equals(data)).toBe(true);
});

test("a file that was uploaded before is uploaded again, also after it was removed there", async () => {
  const server = await serve();
  const source = join(await temporaryDirectory(), "source");
  const data = randomBytes(1_000_000);
  writeFileSync(source, data);
  const workspace = await connect({ host: server.url });
  for (let time = 0; time < 3; time++) {
    expect(await workspace.fileUpload(source, "target", { resume: true })).toMatchObject({ success: true });
    expect(readFileSync(join(server.workingDirectory, "target")).equals(data)).toBe(true);
    await workspace.fs.rm("target");
  }
});

test("a download that was aborted is gone on with, moves only the rest, and keeps mode and time", async () => {
  const server = await serve();
  const data = randomBytes(size);
  writeFileSync(join(server.workingDirectory, "source"), data, { mode: 0o640 });
  utimesSync(join(server.workingDirectory, "source"), 1_500_000_000, 1_500_000_000);
  const target = join(await temporaryDirectory(), "target");
  await using proxy = await startProxy({ target: server.url });
  const workspace = await connect({ host: proxy.url });
  await expect(workspace.fileDownload("source", target, { resume: true, ...abortAfter(5_000_000) })).rejects.toThrow();
  const directory = join(target, "..");
  expect(readdirSync(directory)).toEqual([expect.stringMatching(/^\.yonder-part-/)]);
  const before = proxy.bytesDown;
  expect(await workspace.fileDownload("source", target, { resume: true })).toMatchObject({ fileSize: size });
  expect(proxy.bytesDown - before).toBeLessThan(size / 2);
  expect(readFileSync(target).equals(data)).toBe(true);
  const { mode, mtimeMs } = statSync(target);
  expect([mode & 0o777, mtimeMs]).toEqual([0o640, 1_500_000_000_000]);
  expect(readdirSync(directory)).toEqual(["target"]);
});

test("a download of a file that has changed meanwhile begins anew, and leaves nothing of the old one", async () => {
  const server = await serve();
  writeFileSync(join(server.workingDirectory, "source"), randomBytes(size));
  const target = join(await temporaryDirectory(), "target");
  const workspace = await connect({ host: server.url });
  await expect(workspace.fileDownload("source", target, { resume: true, ...abortAfter(4_000_000) })).rejects.toThrow();
  const data = randomBytes(size + 1);
  writeFileSync(join(server.workingDirectory, "source"), data);
  expect(await workspace.fileDownload("source", target, { resume: true })).toMatchObject({ success: true });
  expect(readFileSync(target).equals(data)).toBe(true);
  expect(readdirSync(join(target, ".."))).toEqual(["target"]);
});

test("of two downloads to one path at once, both are whole", async () => {
  const server = await serve();
  const data = randomBytes(size);
  writeFileSync(join(server.workingDirectory, "source"), data);
  const target = join(await temporaryDirectory(), "target");
  const workspace = await connect({ host: server.url });
  const download = () => workspace.fileDownload("source", target, { resume: true });
  for (const result of await Promise.all([download(), download()])) expect(result.success).toBe(true);
  expect(readFileSync(target).equals(data)).toBe(true);
  expect(readdirSync(join(target, ".."))).toEqual(["target"]);
});

test("a tree tells how much of it there is to move, both ways", async () => {
  const server = await serve();
  const directory = await temporaryDirectory();
  for (const name of ["a", "b"]) writeFileSync(join(directory, name), randomBytes(300_000));
  const workspace = await connect({ host: server.url });
  const totals: (number | undefined)[] = [];
  const onProgress = ({ totalBytes }: TransferProgress) => void totals.push(totalBytes);
  await workspace.fs.uploadTree(directory, "tree", { onProgress });
  await workspace.fs.downloadTree("tree", `${directory}-back`, { onProgress });
  for (const total of totals) expect(total).toBeGreaterThanOrEqual(600_000);
  totals.length = 0;
  writeFileSync(join(directory, "b"), randomBytes(100_000));
  await workspace.fs.uploadTree(directory, "tree", { onProgress });
  expect(totals[0]).toBeGreaterThanOrEqual(100_000);
  expect(totals[0]).toBeLessThan(200_000);
});

/** The two ways of downloading "file" into a directory that look for what others left there. */
async function downloads(): Promise<((directory: string) => Promise<unknown>)[]> {
  const server = await serve();
  writeFileSync(join(server.workingDirectory, "file"), "content");
  const workspace = await connect({ host: server.url });
  return [
    (directory) => workspace.fileDownload("file", join(directory, "file"), { resume: true }),
    (directory) => workspace.fs.downloadTree(".", directory),
  ];
}

test("what a download of a process that is gone left is removed by the next one into the same directory", async () => {
  const [machine] = ownOwner().split("/");
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const running = `.yonder-part-0123~${ownOwner().replaceAll("/", "~")}`;
  const keptForResuming = `.yonder-part-0123-4567~${machine}~${pid}~1`;
  for (const download of await downloads()) {
    const directory = await temporaryDirectory();
    // The second is of a process whose id this one has now.
    for (const id of [pid, process.pid]) writeFileSync(join(directory, `.yonder-part-0123~${machine}~${id}~1`), "half");
    for (const name of [running, keptForResuming]) writeFileSync(join(directory, name), "half");
    await download(directory);
    expect(readdirSync(directory).toSorted()).toEqual([keptForResuming, running, "file"].toSorted());
  }
});

test("a part of a process in another container is left alone until nothing was written to it for a while", async () => {
  const old = new Date(Date.now() - 3_600_000);
  const part = (stem: string): string => `.yonder-part-${stem}~elsewhere.0.1~${process.pid}~1`;
  const [stale, fresh, staleTree, freshTree] = [part("01"), part("02"), part("03"), part("04")] as const;
  for (const download of await downloads()) {
    const directory = await temporaryDirectory();
    for (const name of [stale, fresh]) writeFileSync(join(directory, name), "half");
    for (const name of [staleTree, freshTree]) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, "0"), "half");
    }
    for (const name of [stale, staleTree, freshTree, `${staleTree}/0`]) utimesSync(join(directory, name), old, old);
    await download(directory);
    expect(readdirSync(directory).toSorted()).toEqual([fresh, freshTree, "file"].toSorted());
  }
});

test("a download goes on with the part of another container only where nothing writes to it", async () => {
  const server = await serve();
  writeFileSync(join(server.workingDirectory, "source"), randomBytes(size));
  const directory = await temporaryDirectory();
  const target = join(directory, "target");
  await using proxy = await startProxy({ target: server.url });
  const workspace = await connect({ host: proxy.url });
  await expect(workspace.fileDownload("source", target, { resume: true, ...abortAfter(5_000_000) })).rejects.toThrow();
  const [own = ""] = readdirSync(directory);
  const theirs = `${own.slice(0, own.indexOf("~"))}~elsewhere.0.1~${process.pid}~1`;
  renameSync(join(directory, own), join(directory, theirs));
  expect(await workspace.fileDownload("source", target, { resume: true })).toMatchObject({ fileSize: size });
  expect(readdirSync(directory).toSorted()).toEqual([theirs, "target"]);
  const old = new Date(Date.now() - 3_600_000);
  utimesSync(join(directory, theirs), old, old);
  const before = proxy.bytesDown;
  expect(await workspace.fileDownload("source", target, { resume: true })).toMatchObject({ fileSize: size });
  expect(proxy.bytesDown - before).toBeLessThan(size / 2);
  expect(readdirSync(directory)).toEqual(["target"]);
});
