import {
  appendFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { WatchChangeKind } from "@yonder/proto";
import type { WatchRequestSchema, WatchResponse } from "@yonder/proto";
import { expect, onTestFinished, test } from "vitest";
import { Files } from "../../../server/src/files/files.ts";
import { Burst } from "../../../server/src/files/watch/burst.ts";
import { Watches } from "../../../server/src/files/watch/watches.ts";
import { expectReason, openFileServer, temporaryDirectory } from "../../helpers/file-server.ts";
import type { FileServer } from "../../helpers/file-server.ts";
import { patient } from "../../helpers/time.ts";

interface Watching {
  readonly events: WatchResponse[];
  /** The changes so far, as "CREATED path" or "RENAMED old > new"; resyncs as "RESYNC". */
  told(): string[];
  stop(): Promise<void>;
}

/** Watches until the test is over; resolves once the watch has begun. */
async function watch({ client }: FileServer, request: MessageInitShape<typeof WatchRequestSchema>): Promise<Watching> {
  const events: WatchResponse[] = [];
  const abort = new AbortController();
  const started = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const event of client.watch(request, { signal: abort.signal })) {
      events.push(event);
      started.resolve();
    }
  })();
  reading.catch(started.reject);
  const stop = async (): Promise<void> => {
    abort.abort();
    await reading.catch(() => {});
  };
  onTestFinished(stop);
  await started.promise;
  return { events, stop, told: () => events.flatMap(tell) };
}

function tell({ event }: WatchResponse): string[] {
  if (event.case === "resync") return ["RESYNC"];
  if (event.case !== "changes") return [];
  return event.value.changes.map(({ kind, path, oldPath }) => {
    const name = Object.entries(WatchChangeKind).find(([, value]) => value === kind)?.[0] ?? "";
    return `${name} ${kind === WatchChangeKind.RENAMED ? `${oldPath} > ` : ""}${path}`;
  });
}

/** Waits for all of these to be told, in any order, and for nothing else. */
async function expectTold(watching: Watching, expected: string[]): Promise<void> {
  await expect.poll(() => watching.told().toSorted(), patient).toEqual(expected.toSorted());
}

test("creations, changes and removals are told, in the directory alone unless it is recursive", async () => {
  const server = await openFileServer();
  mkdirSync(join(server.directory, "d"));
  writeFileSync(join(server.directory, "old"), "");
  const flat = await watch(server, {});
  const deep = await watch(server, { recursive: true });
  writeFileSync(join(server.directory, "new"), "x");
  writeFileSync(join(server.directory, "d/below"), "x");
  appendFileSync(join(server.directory, "old"), "more");
  await expectTold(flat, ["CREATED new", "MODIFIED old"]);
  await expectTold(deep, ["CREATED new", "CREATED d/below", "MODIFIED old"]);
  unlinkSync(join(server.directory, "new"));
  await expectTold(flat, ["CREATED new", "MODIFIED old", "REMOVED new"]);
});

test("quick changes to one file are told once", async () => {
  const server = await openFileServer();
  writeFileSync(join(server.directory, "f"), "");
  const watching = await watch(server, {});
  for (let count = 0; count < 200; count++) appendFileSync(join(server.directory, "f"), "x");
  await expect.poll(() => watching.told().length, patient).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(watching.told().length).toBeLessThan(10);
});

test("a rename is told as one, within a directory and across, of files and of directories", async () => {
  const server = await openFileServer();
  mkdirSync(join(server.directory, "a/sub"), { recursive: true });
  mkdirSync(join(server.directory, "b"));
  for (const name of ["f", "a/g", "a/sub/h"]) writeFileSync(join(server.directory, name), name);
  const watching = await watch(server, { recursive: true });
  renameSync(join(server.directory, "f"), join(server.directory, "f2"));
  await expectTold(watching, ["RENAMED f > f2"]);
  renameSync(join(server.directory, "a/g"), join(server.directory, "b/g"));
  await expectTold(watching, ["RENAMED f > f2", "RENAMED a/g > b/g"]);
  renameSync(join(server.directory, "a"), join(server.directory, "c"));
  await expectTold(watching, ["RENAMED f > f2", "RENAMED a/g > b/g", "RENAMED a > c"]);
  writeFileSync(join(server.directory, "c/sub/new"), "");
  await expectTold(watching, ["RENAMED f > f2", "RENAMED a/g > b/g", "RENAMED a > c", "CREATED c/sub/new"]);
});

test("a file that is replaced by a rename is told as changed, as an upload does it, and no part is told", async () => {
  const server = await openFileServer();
  writeFileSync(join(server.directory, "f"), "old");
  const watching = await watch(server, { recursive: true });
  await server.client.writeChunk({
    header: { case: "file", value: { path: "f" } },
    chunk: { data: Buffer.from("new") },
    finish: {},
  });
  await server.client.writeChunk({
    header: { case: "file", value: { path: "g" } },
    chunk: { data: Buffer.from("new") },
    finish: {},
  });
  await expectTold(watching, ["MODIFIED f", "CREATED g"]);
});

test("what is in a directory that is made or moved in is told too", async () => {
  const server = await openFileServer();
  const elsewhere = await temporaryDirectory();
  mkdirSync(join(elsewhere, "tree/sub"), { recursive: true });
  writeFileSync(join(elsewhere, "tree/sub/f"), "");
  const watching = await watch(server, { recursive: true });
  renameSync(join(elsewhere, "tree"), join(server.directory, "tree"));
  await expectTold(watching, ["CREATED tree", "CREATED tree/sub", "CREATED tree/sub/f"]);
  rmSync(join(server.directory, "tree"), { recursive: true });
  await expect
    .poll(
      () =>
        watching
          .told()
          .filter((change) => change.startsWith("REMOVED"))
          .toSorted(),
      patient,
    )
    .toEqual(["REMOVED tree", "REMOVED tree/sub", "REMOVED tree/sub/f"]);
});

test("what is excluded or ignored is not told", async () => {
  const server = await openFileServer();
  writeFileSync(join(server.directory, ".gitignore"), "*.log\n");
  mkdirSync(join(server.directory, "node_modules"));
  mkdirSync(join(server.directory, ".git"));
  const watching = await watch(server, { recursive: true, gitignore: true, exclude: ["node_modules/"] });
  for (const name of ["a.log", "node_modules/m", ".git/x", "told"]) writeFileSync(join(server.directory, name), "");
  await expectTold(watching, ["CREATED told"]);
});

test("links are told and not followed", async () => {
  const server = await openFileServer();
  const elsewhere = await temporaryDirectory();
  symlinkSync(elsewhere, join(server.directory, "link"));
  const watching = await watch(server, { recursive: true });
  writeFileSync(join(elsewhere, "f"), "");
  symlinkSync("nowhere", join(server.directory, "link2"));
  await expectTold(watching, ["CREATED link2"]);
});

test("a directory that goes and comes back is watched on", async () => {
  const server = await openFileServer();
  const path = join(server.directory, "d");
  mkdirSync(path);
  writeFileSync(join(path, "f"), "");
  const watching = await watch(server, { path: "d", recursive: true });
  rmSync(path, { recursive: true });
  await expect.poll(() => watching.told().at(-1), patient).toBe("REMOVED ");
  mkdirSync(path);
  writeFileSync(join(path, "g"), "");
  await expect.poll(() => watching.told().includes("CREATED g"), patient).toBe(true);
  writeFileSync(join(path, "h"), "");
  await expect.poll(() => watching.told().at(-1), patient).toBe("CREATED h");
});

test("a single file is watched through replacements", async () => {
  const server = await openFileServer();
  writeFileSync(join(server.directory, "f"), "");
  const watching = await watch(server, { path: "f" });
  writeFileSync(join(server.directory, "other"), "");
  writeFileSync(join(server.directory, "new"), "x");
  renameSync(join(server.directory, "new"), join(server.directory, "f"));
  await expectTold(watching, ["MODIFIED "]);
});

test("a reader that was cut goes on after its token with nothing missed, and another's token says resync", async () => {
  const server = await openFileServer();
  const first = await watch(server, { recursive: true });
  writeFileSync(join(server.directory, "a"), "");
  await expectTold(first, ["CREATED a"]);
  const resumeToken = first.events.at(-1)?.token ?? "";
  await first.stop();
  writeFileSync(join(server.directory, "b"), "");
  const second = await watch(server, { recursive: true, resumeToken });
  await expectTold(second, ["CREATED b"]);
  expect(second.events[0]?.event.value).toMatchObject({ resumed: true });
  const stale = await watch(server, { recursive: true, resumeToken: "gone.3" });
  await expectTold(stale, ["RESYNC"]);
  expect(stale.events[0]?.event.value).toMatchObject({ resumed: false });
});

test("a reader that is too far behind is told to look at everything", async () => {
  const server = await openFileServer({ limits: { maxWatchBacklog: 20 } });
  const first = await watch(server, {});
  const resumeToken = first.events[0]?.token ?? "";
  await first.stop();
  for (let round = 0; round < 3; round++) {
    for (let file = 0; file < 15; file++) writeFileSync(join(server.directory, `${round}-${file}`), "");
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  const second = await watch(server, { resumeToken });
  await expect.poll(() => second.told()[0], patient).toBe("RESYNC");
});

test("a burst near the kernel's queue is told as resync, and what comes after is told again", async () => {
  const directory = await temporaryDirectory();
  const files = await Files.open({ workingDirectory: directory, uploadsDirectory: join(directory, ".uploads") });
  const watches = new Watches(files.paths, files.limits, new Burst(50));
  onTestFinished(async () => {
    watches.close();
    await files.close();
  });
  const told: string[] = [];
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const query = { path: Buffer.from("."), recursive: true, exclude: [], gitignore: false, resumeToken: "" };
  void (async () => {
    for await (const event of watches.watch(query, abort.signal)) told.push(event.type);
  })();
  await expect.poll(() => told, patient).toEqual(["started"]);
  for (let file = 0; file < 200; file++) writeFileSync(join(directory, `f${file}`), "");
  await expect.poll(() => told.at(-1), patient).toBe("resync");
  await new Promise((resolve) => setTimeout(resolve, 400));
  writeFileSync(join(directory, "after"), "");
  await expect.poll(() => told.at(-1), patient).toBe("changes");
});

test("4,000 files made at once in one directory are all told, or resync is", { timeout: 120_000 }, async () => {
  const server = await openFileServer();
  const watching = await watch(server, { recursive: true });
  writeFileSync(join(server.directory, "source"), "");
  for (let file = 0; file < 4000; file++)
    linkSync(join(server.directory, "source"), join(server.directory, `f${file}`));
  await expect
    .poll(
      () =>
        watching.told().includes("RESYNC") ||
        watching.told().filter((change) => change.startsWith("CREATED f")).length === 4000,
      patient,
    )
    .toBe(true);
});

test("a watch that says nothing sends heartbeats, and limits have names", async () => {
  const server = await openFileServer({ limits: { heartbeatIntervalMs: 50, maxWatches: 1, maxWatchedDirectories: 2 } });
  mkdirSync(join(server.directory, "a/b/c"), { recursive: true });
  expect((await expectReason(server.client.watch({ recursive: true }), "LIMIT_EXCEEDED")).limit?.name).toBe(
    "max_watched_directories",
  );
  const watching = await watch(server, {});
  await expect
    .poll(() => watching.events.filter(({ event }) => event.case === "heartbeat").length, patient)
    .toBeGreaterThan(1);
  expect((await expectReason(server.client.watch({ path: "a" }), "LIMIT_EXCEEDED")).limit?.name).toBe("max_watches");
  await expectReason(server.client.watch({ path: "no" }), "FILE_NOT_FOUND");
});

test("a confined watch tells the same", async () => {
  const server = await openFileServer({ confine: true });
  mkdirSync(join(server.directory, "a"));
  const watching = await watch(server, { recursive: true });
  writeFileSync(join(server.directory, "a/f"), "");
  mkdirSync(join(server.directory, "b"));
  await expectTold(watching, ["CREATED a/f", "CREATED b"]);
});
