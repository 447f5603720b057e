import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { partsIn, temporaryDirectory } from "../../helpers/file-server.ts";
import { startProxy } from "../../helpers/proxy.ts";
import { serve } from "../../helpers/serve.ts";
import { patient } from "../../helpers/time.ts";
import { until } from "../../helpers/until.ts";
import { describeTree } from "../../helpers/trees.ts";
import { wires } from "../../helpers/wires.ts";
import { connect } from "../../helpers/workspaces.ts";

function digest(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

describe.each(wires)("by %s", (_, wire) => {
  test("a file goes up whole however often, and wherever, the connection is cut", async () => {
    const server = await serve();
    await using proxy = await startProxy({ target: server.url });
    const workspace = await connect({ host: proxy.url, ...wire });
    const source = join(await temporaryDirectory(), "source");
    const data = randomBytes(3_000_000);
    writeFileSync(source, data);
    let cuts = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 2_500_000 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom("crc32" as const, "sha256" as const, "none" as const),
        async (offsets, checkedBy) => {
          const left = [...offsets];
          proxy.set({ cutAfterBytesUp: () => left.shift() ?? Infinity });
          workspace.resetClient();
          const before = proxy.cuts;
          expect(await workspace.fileUpload(source, "target", { digest: checkedBy })).toMatchObject({
            success: true,
            fileSize: data.length,
          });
          expect(digest(readFileSync(join(server.workingDirectory, "target")))).toBe(digest(data));
          cuts += proxy.cuts - before;
        },
      ),
      { numRuns: 5 },
    );
    expect(cuts).toBeGreaterThan(2);
    expect(await partsIn(server.workingDirectory)).toEqual([]);
  });

  test("a file comes down whole however often, and wherever, the connection is cut", async () => {
    const server = await serve();
    await using proxy = await startProxy({ target: server.url });
    const workspace = await connect({ host: proxy.url, ...wire });
    const data = randomBytes(3_000_000);
    writeFileSync(join(server.workingDirectory, "source"), data);
    const target = join(await temporaryDirectory(), "target");
    let cuts = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 2_500_000 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom("crc32" as const, "sha256" as const, "none" as const),
        async (offsets, checkedBy) => {
          const left = [...offsets];
          proxy.set({ cutAfterBytes: () => left.shift() ?? Infinity });
          workspace.resetClient();
          const before = proxy.cuts;
          expect(await workspace.fileDownload("source", target, { digest: checkedBy })).toMatchObject({
            success: true,
            fileSize: data.length,
          });
          expect(digest(readFileSync(target))).toBe(digest(data));
          cuts += proxy.cuts - before;
        },
      ),
      { numRuns: 5 },
    );
    expect(cuts).toBeGreaterThan(2);
  });
});

test("a stream, which comes but once, goes up whole over cuts", async () => {
  const server = await serve();
  await using proxy = await startProxy({ target: server.url });
  const workspace = await connect({ host: proxy.url });
  const data = randomBytes(9_000_000);
  const cuts = [500_000, 3_000_000, 2_100_000];
  proxy.set({ cutAfterBytesUp: () => cuts.shift() ?? Infinity });
  workspace.resetClient();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let begin = 0; begin < data.length; begin += 70_001) yield data.subarray(begin, begin + 70_001);
  }
  expect(await workspace.fileUpload(pieces(), "target")).toMatchObject({ success: true, fileSize: data.length });
  expect(digest(readFileSync(join(server.workingDirectory, "target")))).toBe(digest(data));
  expect(cuts).toEqual([]);
});

test("an upload goes on after kill -9 of the server and its restart", async () => {
  const server = await serve();
  const workspace = await connect({ host: server.url });
  const source = join(await temporaryDirectory(), "source");
  const data = randomBytes(40_000_000);
  writeFileSync(source, data);
  let restart: Promise<void> | undefined;
  let wentBack = false;
  let last = 0;
  const onProgress = async ({ transferredBytes }: { transferredBytes: number }): Promise<void> => {
    if (transferredBytes < last) wentBack = true;
    last = transferredBytes;
    if (transferredBytes > 20_000_000) restart ??= server.restart("SIGKILL");
    await restart;
  };
  expect(await workspace.fileUpload(source, "target", { onProgress })).toMatchObject({ success: true });
  await restart;
  expect(wentBack).toBe(false);
  expect(digest(readFileSync(join(server.workingDirectory, "target")))).toBe(digest(data));
  expect(await partsIn(server.workingDirectory)).toEqual([]);
});

test("a download of a file that is replaced during a cut gives the new one, never a mixture", async () => {
  const server = await serve();
  await using proxy = await startProxy({ target: server.url });
  const workspace = await connect({ host: proxy.url });
  const path = join(server.workingDirectory, "f");
  writeFileSync(path, Buffer.alloc(4_000_000, 1));
  proxy.set({ cutAfterBytes: () => 1_500_000 });
  workspace.resetClient();
  let replaced = false;
  const onProgress = ({ transferredBytes }: { transferredBytes: number }): void => {
    if (replaced || transferredBytes < 1_000_000) return;
    replaced = true;
    rmSync(path);
    writeFileSync(path, Buffer.alloc(4_000_000, 2));
    proxy.set({ cutAfterBytes: Infinity });
  };
  const { success, data } = await workspace.fileDownload("f", undefined, { onProgress });
  expect(success).toBe(true);
  expect(new Set(data)).toEqual(new Set([2]));
});

test("a tree of 2,000 files goes up and down over cuts, and what arrived before a cut is not moved again", async () => {
  const server = await serve();
  await using proxy = await startProxy({ target: server.url });
  const workspace = await connect({ host: proxy.url });
  const source = await temporaryDirectory();
  for (let directory = 0; directory < 20; directory++) {
    mkdirSync(join(source, `d${directory}`));
    for (let file = 0; file < 100; file++) writeFileSync(join(source, `d${directory}/f${file}`), randomBytes(2000));
  }
  // More than fits into the windows, so that the server has taken some of it by then.
  const up = [4_500_000, 4_500_000];
  proxy.set({ cutAfterBytesUp: () => up.shift() ?? Infinity });
  workspace.resetClient();
  const report = await workspace.fs.uploadTree(source, "tree");
  expect(report.files + report.unchanged).toBeGreaterThanOrEqual(2000);
  expect(report.files).toBeLessThan(2000);
  // The server may still be busy giving up what was cut.
  await expect.poll(() => partsIn(server.workingDirectory), patient).toEqual([]);
  expect(describeTree(join(server.workingDirectory, "tree")).slice(1)).toEqual(describeTree(source).slice(1));
  expect(await workspace.fs.uploadTree(source, "tree")).toMatchObject({ files: 0, unchanged: 2020 });

  const down = [2_000_000, 1_000_000];
  proxy.set({ cutAfterBytesUp: Infinity, cutAfterBytes: () => down.shift() ?? Infinity });
  workspace.resetClient();
  const target = join(await temporaryDirectory(), "tree");
  await workspace.fs.downloadTree("tree", target);
  expect(describeTree(target).slice(1)).toEqual(describeTree(source).slice(1));
  expect(await partsIn(target)).toEqual([]);
  for (const name of readdirSync(join(target, "d3"))) rmSync(join(target, "d3", name));
  expect(await workspace.fs.downloadTree("tree", target)).toMatchObject({ files: 100, unchanged: 1919 });
});

test("a watch tells what happened during a cut, and after it", async () => {
  const server = await serve();
  await using proxy = await startProxy({ target: server.url });
  const workspace = await connect({ host: proxy.url });
  const abort = new AbortController();
  const told: string[] = [];
  const ready = Promise.withResolvers<void>();
  const options = { recursive: true, signal: abort.signal, onReady: ready.resolve };
  const watching = (async () => {
    for await (const event of workspace.fs.watch(".", options)) {
      told.push(event.type === "resync" ? "resync" : `${event.type} ${String(event.path)}`);
    }
  })();
  onTestFinished(() => abort.abort());
  await ready.promise;
  writeFileSync(join(server.workingDirectory, "a"), "");
  await expect.poll(() => told, patient).toEqual(["created a"]);
  proxy.refuse();
  proxy.cut();
  writeFileSync(join(server.workingDirectory, "b"), "");
  proxy.refuse(false);
  await expect.poll(() => told.includes("created b"), patient).toBe(true);
  writeFileSync(join(server.workingDirectory, "c"), "");
  await expect.poll(() => told.at(-1), patient).toBe("created c");
  expect(told).not.toContain("resync");
  abort.abort();
  await watching;
});

test("a search on which nothing comes any more is begun again", async () => {
  const server = await serve({ flags: ["--heartbeat-interval=100ms"] });
  writeFileSync(join(server.workingDirectory, "found"), "needle\n");
  await using proxy = await startProxy({ target: server.url });
  const workspace = await connect({ host: proxy.url, httpVersion: "1.1" });
  proxy.freeze();
  const { connections } = proxy;
  const search = workspace.fs.search({ text: "needle" });
  await until(() => proxy.connections > connections);
  proxy.thawNew();
  expect((await search).matches).toMatchObject([{ path: "found", line: "needle" }]);
  expect(proxy.connections).toBeGreaterThan(connections + 1);
});
