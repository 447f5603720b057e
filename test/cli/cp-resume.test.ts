import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startProxy } from "../helpers/proxy.ts";
import type { Proxy } from "../helpers/proxy.ts";
import { writeRandomFile } from "../helpers/random-file.ts";
import { serve } from "../helpers/serve.ts";
import { openShell } from "../helpers/shell.ts";
import type { Shell } from "../helpers/shell.ts";
import { tick } from "../helpers/time.ts";
import { describeTree } from "../helpers/trees.ts";
import { until } from "../helpers/until.ts";

const size = 80_000_000;
/**
 * Where it is cut, and what a second run may move at most: the rest, and what lay in buffers, 32 MiB where the machine is
 * so busy that the line looks long.
 */
const cutAt = 70_000_000;
const rest = 55_000_000;

interface Place {
  readonly there: string;
  readonly here: string;
  readonly proxy: Proxy;
  readonly shell: Shell;
}

async function open(): Promise<Place> {
  const server = await serve();
  const proxy = await startProxy({ target: server.url });
  onTestFinished(() => proxy.close());
  const shell = await openShell(proxy.url);
  return { there: server.workingDirectory, here: shell.directory, proxy, shell };
}

/**
 * Runs a command until its connection falls silent, and ends it once what had left before has reached the target; a reset
 * would throw away what a busy machine has not read yet.
 */
async function breakOff(
  { proxy, shell }: Place,
  script: string,
  signal: NodeJS.Signals,
  target: string,
  bytes: number,
) {
  const before = proxy.cuts;
  proxy.set({ cutBy: "silence" });
  const { child, ended } = shell.start(`exec ${script}`);
  await until(() => proxy.cuts > before);
  await until(() => bytesIn(target) > (bytes * 3) / 4);
  proxy.refuse();
  proxy.cut();
  child.kill(signal);
  const result = await ended;
  proxy.set({ cutAfterBytes: Infinity, cutAfterBytesUp: Infinity, cutBy: "reset" });
  proxy.refuse(false);
  return result;
}

/** How many bytes all files of a tree hold; one that is being moved may be missed. */
function bytesIn(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false })?.blocks ?? 0)
    .reduce((sum, blocks) => sum + blocks * 512, 0);
}

test("a cut network under cp is gone over, both ways", async () => {
  const { there, here, proxy, shell } = await open();
  const data = await writeRandomFile(join(here, "file"), 12_000_000);
  const ups = [3_000_000, 3_000_000, 5_000_000];
  const downs = [4_000_000, 4_000_000, 6_000_000];
  proxy.set({ cutAfterBytesUp: () => ups.shift() ?? Infinity });
  expect(await shell.run("yonder cp file :")).toMatchObject({ code: 0, stderr: "" });
  const cuts = proxy.cuts;
  expect(cuts).toBeGreaterThan(0);
  proxy.set({ cutAfterBytes: () => downs.shift() ?? Infinity });
  expect(await shell.run("yonder cp :file back")).toMatchObject({ code: 0, stderr: "" });
  expect(proxy.cuts).toBeGreaterThan(cuts);
  for (const path of [join(there, "file"), join(here, "back")]) expect(readFileSync(path).equals(data)).toBe(true);
});

test.each(["SIGKILL", "SIGINT"] as const)("an upload that %s ended goes on where it stopped", async (signal) => {
  const place = await open();
  const data = await writeRandomFile(join(place.here, "file"), size);
  place.proxy.set({ cutAfterBytesUp: cutAt });
  const broken = await breakOff(place, "yonder cp file :target", signal, place.there, cutAt);
  expect(broken.code).toBe(signal === "SIGINT" ? 130 : "SIGKILL");
  if (signal === "SIGINT") expect(broken.stderr).toBe("yonder: interrupted; run it again to go on where it stopped\n");
  expect(readdirSync(place.there).filter((name) => name === "target")).toEqual([]);
  // A run that needed more than the rest would be cut.
  place.proxy.set({ cutAfterBytesUp: rest });
  const cuts = place.proxy.cuts;
  expect(await place.shell.run("yonder cp file :target")).toMatchObject({ code: 0, stderr: "" });
  expect(place.proxy.cuts).toBe(cuts);
  expect(readFileSync(join(place.there, "target")).equals(data)).toBe(true);
});

test.each(["SIGKILL", "SIGINT"] as const)("a download that %s ended goes on where it stopped", async (signal) => {
  const place = await open();
  const data = await writeRandomFile(join(place.there, "file"), size);
  place.proxy.set({ cutAfterBytes: cutAt });
  await breakOff(place, "yonder cp :file target", signal, place.here, cutAt);
  expect(readdirSync(place.here)).toEqual([expect.stringMatching(/^\.yonder-part-/)]);
  const before = place.proxy.bytesDown;
  expect(await place.shell.run("yonder cp :file target")).toMatchObject({ code: 0, stderr: "" });
  expect(place.proxy.bytesDown - before).toBeLessThan(rest);
  expect(readFileSync(join(place.here, "target")).equals(data)).toBe(true);
  expect(readdirSync(place.here)).toEqual(["target"]);
});

test.each(["up", "down"])("a tree whose copy %s was killed is gone on with, at the same place", async (way) => {
  const place = await open();
  const [source, target] = way === "up" ? [place.here, place.there] : [place.there, place.here];
  mkdirSync(join(source, "tree"));
  for (let index = 0; index < 40; index++) await writeRandomFile(join(source, `tree/${index}`), size / 40);
  place.proxy.set(way === "up" ? { cutAfterBytesUp: cutAt } : { cutAfterBytes: cutAt });
  const script = way === "up" ? "yonder cp tree :copy" : "yonder cp :tree copy";
  await breakOff(place, script, "SIGKILL", target, cutAt);
  const arrived = readdirSync(join(target, "copy")).filter((name) => !name.startsWith("."));
  expect(arrived.length).toBeGreaterThan(5);
  const before = new Map(arrived.map((name) => [name, statSync(join(target, "copy", name)).ino]));
  expect(await place.shell.run(script)).toMatchObject({ code: 0, stderr: "" });
  // What the server keeps of an upload that nobody goes on with, it sweeps later.
  const copied = describeTree(join(target, "copy")).filter((line) => way === "down" || !line.includes(".yonder-part-"));
  expect(copied).toEqual(describeTree(join(source, "tree")));
  for (const [name, inode] of before) expect(statSync(join(target, "copy", name)).ino).toBe(inode);
  // Done and done again: now the target is a directory that is there.
  expect(await place.shell.run(script)).toMatchObject({ code: 0, stderr: "" });
  expect(statSync(join(target, "copy/tree")).isDirectory()).toBe(true);
});

test("Ctrl-C ends a copy that waits for a server that says nothing", async () => {
  const silent = createServer((socket) => void socket.on("error", () => {}).resume()).listen(0, "127.0.0.1");
  onTestFinished(() => void silent.close());
  await once(silent, "listening");
  const shell = await openShell(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  writeFileSync(join(shell.directory, "file"), "");
  const { child, ended } = shell.start("exec yonder cp file :");
  await once(silent, "connection");
  child.kill("SIGINT");
  expect(await ended).toMatchObject({
    code: 130,
    stderr: expect.stringMatching(/^yonder: interrupted; .*\n$/) as string,
  });
});

test.each([
  ["yonder cp pipe :file", "; run it again to go on where it stopped"],
  ["yonder cp :there pipe", "; run it again to go on where it stopped"],
  ["yonder cp - :file <> pipe", ""],
])("Ctrl-C ends a copy with a pipe at whose other end is nobody: %s", async (script, wayOut) => {
  const { there, proxy, shell } = await open();
  writeFileSync(join(there, "there"), "there");
  const { child, ended } = shell.start(`mkfifo pipe && exec ${script}`);
  await until(() => proxy.connections > 0);
  // It is the same whenever the signal comes; most likely it now comes while the pipe is waited for.
  await tick(300);
  child.kill("SIGINT");
  expect(await ended).toMatchObject({ code: 130, stdout: "", stderr: `yonder: interrupted${wayOut}\n` });
});

test("a file that has changed since is copied from its first byte", async () => {
  const place = await open();
  await writeRandomFile(join(place.there, "file"), size);
  place.proxy.set({ cutAfterBytes: cutAt });
  await breakOff(place, "yonder cp :file target", "SIGKILL", place.here, cutAt);
  writeFileSync(join(place.there, "file"), "another");
  expect(await place.shell.run("yonder cp :file target")).toMatchObject({ code: 0 });
  expect(readFileSync(join(place.here, "target"), "utf8")).toBe("another");
  expect(readdirSync(place.here)).toEqual(["target"]);
});

test.each(["up", "down"])("a large file of a tree whose copy %s was killed goes on where it stopped", async (way) => {
  const place = await open();
  const [source, target] = way === "up" ? [place.here, place.there] : [place.there, place.here];
  mkdirSync(join(source, "tree/deep"), { recursive: true });
  await writeRandomFile(join(source, "tree/deep/large"), 100_000_000);
  await writeRandomFile(join(source, "tree/small"), 1_000);
  place.proxy.set(way === "up" ? { cutAfterBytesUp: 80_000_000 } : { cutAfterBytes: 80_000_000 });
  const script = way === "up" ? "yonder cp tree :copy" : "yonder cp :tree copy";
  await breakOff(place, script, "SIGKILL", target, 80_000_000);
  // A run that needed more than the rest would be cut.
  place.proxy.set(way === "up" ? { cutAfterBytesUp: 60_000_000 } : { cutAfterBytes: 60_000_000 });
  const cuts = place.proxy.cuts;
  expect(await place.shell.run(script)).toMatchObject({ code: 0, stderr: "" });
  expect(place.proxy.cuts).toBe(cuts);
  expect(describeTree(join(target, "copy"))).toEqual(describeTree(join(source, "tree")));
});
