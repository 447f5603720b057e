import { createHash } from "node:crypto";
import { join } from "node:path";
import { ConnectError, createClient } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason, ExecService } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import type { ExecEvent } from "../../client/src/index.ts";
import { transports } from "../helpers/edge.ts";
import { Followed, followOutput } from "../helpers/follow-output.ts";
import { sha256, writeRandomFile } from "../helpers/random-file.ts";
import { gone, serve } from "../helpers/serve.ts";
import type { ServedWorkspace } from "../helpers/serve.ts";
import { until } from "../helpers/until.ts";
import { connect } from "../helpers/workspaces.ts";

const MIB = 2 ** 20;
/** What windows and buffers between server and reader hold at most: the windows are wide where answers come late. */
const onTheWayBytes = 56 * MIB;
const outputBytes = 96 * MIB;

describe("a reader that stands still", { timeout: 120_000 }, () => {
  test("holds up neither the command nor another reader, and has lost nothing when it goes on", async () => {
    const { server, source } = await serveRandom();
    const [patient, quick] = [await connect({ host: server.url }), await connect({ host: server.url })];
    const handle = await patient.spawn("cat random");
    const standing = await standAfterFirstOutput(handle.events());

    const other = await followOutput((await quick.attach(handle.execId)).events());
    expect(other).toMatchObject({ bytes: outputBytes, digest: sha256(source), lost: [] });
    expect(await handle.wait()).toEqual(other.end);

    await standing.goOn();
    expect(standing.followed).toMatchObject({ bytes: outputBytes, digest: sha256(source), lost: [], end: other.end });
  });

  test("lets the command run free once it is given up, and is then told what is lost", async () => {
    const { server, source } = await serveRandom("--max-journal-bytes=8MiB", "--reader-stall-timeout=1s");
    const workspace = await connect({ host: server.url });
    const handle = await workspace.spawn("cat random; read -r _; echo end >&2");
    const standing = await standAfterFirstOutput(handle.events());
    // The last word is seen last only if it comes last.
    await until(async () => (await handle.info()).stdoutBytes === outputBytes);
    await handle.stdin.write("\n");

    // It ends although what the reader has not read is far more than is kept.
    const end = await handle.wait();
    expect(end).toMatchObject({ reason: "EXITED", stdoutBytes: outputBytes, stderrBytes: 4 });
    await standing.goOn();
    const { followed, pieces } = standing;
    expect(followed.end).toEqual(end);
    expect(followed.lost).toHaveLength(1);
    for (const { cursor, nextCursor, stdoutBytes, stderrBytes } of followed.lost) {
      expect({ stdoutBytes, stderrBytes }).toEqual({ stdoutBytes: nextCursor - cursor, stderrBytes: 0 });
      expect(followed.bytes + stdoutBytes).toBe(outputBytes + 4);
    }
    // What did come stands where it stood.
    for (const { cursor, nextCursor, digest } of pieces) {
      if (nextCursor <= outputBytes) expect(digest).toBe(sha256(source.subarray(cursor, nextCursor)));
    }
  });

  test("is told READER_STALLED, with the cursor to go on from", async () => {
    const { server, source } = await serveRandom("--max-journal-bytes=8MiB", "--reader-stall-timeout=1s");
    const open = transports["grpc over HTTP/2"];
    if (open === undefined) throw new Error("no such transport");
    const stubs = createClient(ExecService, open(server.url));
    const program = { case: "command" as const, value: "cat random" };
    await stubs.startExec({ exec: { execId: "it", program } });
    const stream = stubs.attach({ execId: "it", start: { case: "cursor", value: 0n } })[Symbol.asyncIterator]();
    await stream.next();
    await stream.next();
    await stubs.getExec({ execId: "it", wait: { seconds: 30n } });

    let [bytes, end] = [0, 0];
    const error = await (async () => {
      for (let reply = await stream.next(); !reply.done; reply = await stream.next()) {
        const event = reply.value.event?.event;
        if (event?.case !== "output") continue;
        const { cursor, data } = event.value;
        [bytes, end] = [bytes + data.length, Number(cursor) + data.length];
      }
      return undefined;
    })().catch((caught: unknown) => ConnectError.from(caught));
    expect(bytes).toBeGreaterThan(0);
    expect(error?.findDetails(ErrorDetailSchema)).toMatchObject([
      { reason: ErrorReason.READER_STALLED, subject: "it", expectedOffset: BigInt(end) },
    ]);

    // From there on: what is gone is told, then the rest comes.
    const rest: Buffer[] = [];
    let lostUntil = end;
    for await (const reply of stubs.attach({ execId: "it", start: { case: "cursor", value: BigInt(end) } })) {
      const event = reply.event?.event;
      if (event?.case === "lost") {
        expect(Number(event.value.beginCursor)).toBe(end);
        lostUntil = Number(event.value.endCursor);
      }
      if (event?.case === "output") rest.push(Buffer.from(event.value.data));
    }
    expect(sha256(Buffer.concat(rest))).toBe(sha256(source.subarray(lostUntil)));
  });
});

describe("a reader that moves, however slowly", { timeout: 120_000 }, () => {
  test("holds the command back where its output would not be kept, and loses nothing", async () => {
    const { server, source } = await serveRandom("--max-journal-bytes=8MiB", "--reader-stall-timeout=5s");
    const workspace = await connect({ host: server.url });
    const handle = await workspace.spawn("read go; cat random");
    let mostAhead = 0;
    const followed = new Followed();
    for await (const event of handle.events()) {
      followed.take(event);
      // Without a reader it would run free.
      if (event.type === "started") await handle.stdin.write("go\n");
      if (event.type !== "output" || followed.bytes > outputBytes / 2) continue;
      const { endCursor } = await handle.info();
      mostAhead = Math.max(mostAhead, endCursor - followed.bytes);
    }
    expect(followed).toMatchObject({ bytes: outputBytes, digest: sha256(source), lost: [] });
    // It never printed far more than is kept and what is on its way.
    expect(mostAhead).toBeLessThan(8 * MIB + onTheWayBytes);
  });

  test.for([1, 100_000])("is waited for, and never for ever, where only %i bytes are kept", async (keepOutputBytes) => {
    const { server, source } = await serveRandom();
    const workspace = await connect({ host: server.url });
    const handle = await workspace.spawn("read go; cat random", { keepOutputBytes });
    const followed = new Followed();
    for await (const event of handle.events()) {
      followed.take(event);
      if (event.type === "started") await handle.stdin.write("go\n");
    }
    expect(followed).toMatchObject({ bytes: outputBytes, digest: sha256(source), lost: [], end: { reason: "EXITED" } });
  });

  test("and was cut off a moment ago finds every byte when it comes back", async () => {
    // Half of what is kept is held for bytes that are on their way when a connection is cut: more than windows let out.
    const { server, source } = await serveRandom(`--max-journal-bytes=${2 * onTheWayBytes}`);
    const workspace = await connect({ host: server.url });
    const handle = await workspace.spawn("read go; cat random random random");
    const hash = createHash("sha256").update(source).update(source).update(source);
    const followed = new Followed();
    let cuts = 0;
    for await (const event of handle.events()) {
      followed.take(event);
      if (event.type === "started") await handle.stdin.write("go\n");
      if (followed.bytes < (cuts + 1) * 30 * MIB) continue;
      cuts += 1;
      workspace.resetClient();
    }
    expect(cuts).toBe(9);
    expect(followed).toMatchObject({ bytes: 3 * outputBytes, digest: hash.digest("hex"), lost: [] });
  });

  test("but goes away lets the command run free once its grace is over", async () => {
    const { server } = await serveRandom("--max-journal-bytes=8MiB", "--reader-reconnect-grace=300ms");
    const workspace = await connect({ host: server.url });
    const handle = await workspace.spawn("cat random");
    for await (const event of handle.events()) if (event.type === "output") break;
    expect(await handle.wait()).toMatchObject({ reason: "EXITED", stdoutBytes: outputBytes });
    await gone(handle.pid);
  });
});

test("a command that nobody reads is not held up by a cap, and its wait ends", { timeout: 120_000 }, async () => {
  const { server, source } = await serveRandom("--max-journal-bytes=8MiB");
  const workspace = await connect({ host: server.url });
  const before = server.peakMemory();
  const handle = await workspace.spawn("cat random random random");
  const end = await handle.wait();
  expect(end).toMatchObject({ reason: "EXITED", exitCode: 0, stdoutBytes: 3 * outputBytes });
  expect(server.peakMemory() - before).toBeLessThan(100 * MIB);
  const followed = new Followed();
  const kept: Uint8Array[] = [];
  for await (const event of handle.events()) {
    followed.take(event);
    if (event.type === "output") kept.push(event.bytes);
  }
  expect(followed.lost).toMatchObject([{ cursor: 0, nextCursor: 3 * outputBytes - followed.bytes }]);
  expect(sha256(Buffer.concat(kept))).toBe(sha256(source.subarray(outputBytes - followed.bytes)));
});

async function serveRandom(...flags: string[]): Promise<{ server: ServedWorkspace; source: Buffer }> {
  const server = await serve({ flags });
  return { server, source: await writeRandomFile(join(server.workingDirectory, "random"), outputBytes) };
}

interface Piece {
  readonly cursor: number;
  readonly nextCursor: number;
  readonly digest: string;
}

/** Reads up to the first output, and the rest only when told to. */
async function standAfterFirstOutput(events: AsyncIterable<ExecEvent>) {
  const followed = new Followed();
  const pieces: Piece[] = [];
  const going = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const event of events) {
      followed.take(event);
      if (event.type !== "output") continue;
      pieces.push({ cursor: event.cursor, nextCursor: event.nextCursor, digest: sha256(event.bytes) });
      await going.promise;
    }
  })();
  await until(() => followed.bytes > 0);
  return {
    followed,
    pieces,
    goOn: async () => {
      going.resolve();
      await reading;
    },
  };
}
