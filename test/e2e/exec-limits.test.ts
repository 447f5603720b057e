import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EndReason, ExecDisposition, ExecState, OutputStream, SignalTarget } from "@yonder/proto";
import type { ExecEvent } from "@yonder/proto";
import { describe, expect, onTestFinished, test } from "vitest";
import { execServer, fixture, reasonOf, refusal, refusals, shell, told } from "../helpers/exec-server.ts";
import type { ExecServer } from "../helpers/exec-server.ts";
import { until } from "../helpers/until.ts";

const MIB = 2 ** 20;

describe("a server with low limits", () => {
  const server = execServer({
    flags: [
      "--max-running-execs=3",
      "--max-readers=2",
      "--max-labels=2",
      "--max-label-bytes=10",
      "--max-page-size=3",
      "--max-read-bytes=1KiB",
      "--max-timeout=10s",
      "--max-message-bytes=64KiB",
      "--max-wait=100ms",
      "--heartbeat-interval=100ms",
    ],
  });

  test("refuses one command more than may run at once, and takes it when another has ended", async () => {
    const { execId } = await standing(server);
    for (let i = 0; i < 2; i++) await standing(server);
    const next = { execId: server.newId(), program: shell("touch ran; exit 5") };
    const calls = [server.exec.exec(next), server.exec.startExec({ exec: next })];
    for (const refused of await refusals(calls)) {
      expect(refused).toMatchObject({
        code: "RESOURCE_EXHAUSTED",
        reason: "LIMIT_EXCEEDED",
        message: expect.stringContaining("3"),
        detail: { retryable: true, limit: { name: "max_running_execs", value: 3n } },
      });
      expect(refused.detail?.retryDelay).toBeDefined();
    }
    expect(await readdir(server.directory)).toEqual([]);
    expect(await refusal(server.exec.getExec({ execId: next.execId }))).toMatchObject({ reason: "EXEC_NOT_FOUND" });
    expect((await server.workspace.getInfo({})).runningExecs).toBe(3);

    const { disposition } = await server.exec.startExec({ exec: { execId, program: shell("sleep 1000") } });
    expect(disposition).toBe(ExecDisposition.JOINED);
    await server.kill(execId);
    expect((await server.run(next)).ended.exitCode).toBe(5);
  });

  test("does not count the ended ones", async () => {
    for (let i = 0; i < 8; i++) expect((await server.run("exit 0")).ended.exitCode).toBe(0);
    expect((await server.workspace.getInfo({})).runningExecs).toBe(0);
  });

  test("lets no more run where many are started at the same time", async () => {
    const starts = Array.from({ length: 12 }, () =>
      server.exec.startExec({ exec: { execId: server.newId(), program: shell("sleep 1000") } }).then(
        ({ exec }) => exec?.execId ?? "",
        () => undefined,
      ),
    );
    const started = (await Promise.all(starts)).filter((id) => id !== undefined);
    expect(started).toHaveLength(3);
    for (const execId of started) await server.kill(execId);
  });

  test("refuses one reader more than may read at once, and starts no command for it", async () => {
    const { execId } = await standing(server);
    const first = new AbortController();
    const readers = [server.exec.attach({ execId }, { signal: first.signal }), server.exec.attach({ execId })].map(
      told,
    );
    const left = refusal(readers[0] ?? Promise.reject(new Error("no reader")));
    await until(async () => (await server.exec.getExec({ execId })).exec?.readers === 2);
    const next = server.newId();
    const program = shell("touch read");
    const calls = [server.exec.attach({ execId }), server.exec.exec({ execId: next, program })];
    for (const refused of await refusals(calls)) {
      expect(refused).toMatchObject({
        code: "RESOURCE_EXHAUSTED",
        reason: "LIMIT_EXCEEDED",
        message: expect.stringContaining("2"),
        detail: { retryable: true, limit: { name: "max_readers", value: 2n } },
      });
    }
    expect(await refusal(server.exec.getExec({ execId: next }))).toMatchObject({ reason: "EXEC_NOT_FOUND" });
    expect((await server.exec.readOutput({ execId })).endCursor).toBe(0n);

    first.abort();
    expect((await left).code).toBe("CANCELED");
    await until(async () => (await server.exec.getExec({ execId })).exec?.readers === 1);
    expect((await told(server.exec.exec({ execId: next, program }))).ended.exitCode).toBe(0);
    await server.kill(execId);
    expect((await readers[1])?.ended.reason).toBe(EndReason.KILLED);
  });

  test("refuses labels and timeouts past them, with their values", async () => {
    const start = (more: object) => refusal(server.exec.startExec({ exec: { program: shell("true"), ...more } }));
    const wanted = { code: "INVALID_ARGUMENT", reason: "INVALID_FIELD" };
    const label = { ...wanted, subject: "labels" };
    expect(await start({ labels: { a: "", b: "", c: "" } })).toMatchObject({
      ...label,
      message: expect.stringMatching(/3.* 2 /),
    });
    expect(await start({ labels: { a: "12345678901" } })).toMatchObject({
      ...label,
      message: expect.stringMatching(/11 bytes.* 10 /),
    });
    expect(await start({ timeout: { seconds: 11n } })).toMatchObject({ ...wanted, subject: "timeout" });
    const within = { labels: { a: "1234567890", b: "" }, timeout: { seconds: 10n } };
    expect((await server.run("true", within)).ended.exitCode).toBe(0);
  });

  test("refuses a larger message than it takes, on a connection that goes on", async () => {
    const send = (bytes: number) => server.exec.startExec({ exec: { program: shell(`: ${"x".repeat(bytes)}`) } });
    expect((await refusal(send(65 * 1024))).code).toBe("RESOURCE_EXHAUSTED");
    expect((await send(60 * 1024)).disposition).toBe(ExecDisposition.CREATED);
  });

  test("cuts a page, a read and a wait to what is allowed", async () => {
    for (let i = 0; i < 4; i++) await server.run("true");
    const { execs, nextPageToken } = await server.exec.listExecs({ pageSize: 1_000_000 });
    expect(execs).toHaveLength(3);
    expect(nextPageToken).not.toBe("");

    const { execId } = await server.spawn("head -c 5000 /dev/zero; sleep 1000");
    await until(async () => (await server.exec.getExec({ execId })).exec?.endCursor === 5000n);
    let cursor = 0n;
    const sizes: number[] = [];
    do {
      const start = { case: "cursor" as const, value: cursor };
      const page = await server.exec.readOutput({ execId, start, maxBytes: 1_000_000 });
      sizes.push(page.output.reduce((sum, { data }) => sum + data.length, 0));
      expect(page.truncated).toBe(page.nextCursor < 5000n);
      cursor = page.nextCursor;
    } while (cursor < 5000n);
    expect(sizes).toEqual([1024, 1024, 1024, 1024, 904]);

    const wait = { seconds: 100_000_000n };
    expect((await server.exec.getExec({ execId, wait })).exec?.state).toBe(ExecState.RUNNING);
    const start = { case: "cursor" as const, value: cursor };
    expect((await server.exec.readOutput({ execId, start, wait })).output).toEqual([]);
    await server.kill(execId);
  });

  test("sends heartbeats while a command is silent, with the cursor that all was sent up to", async () => {
    const { execId } = await server.spawn("printf 123; sleep 1000");
    const events: ExecEvent["event"][] = [];
    for await (const { event } of server.exec.attach({ execId })) {
      if (event === undefined) continue;
      events.push(event.event);
      if (event.event.case === "heartbeat" && event.event.value.cursor === 3n) await server.kill(execId);
    }
    expect(events[0]?.case).toBe("started");
    expect(events.at(-1)?.case).toBe("ended");
  });
});

describe("a server that keeps little", () => {
  const server = execServer({
    flags: [
      "--max-ended-execs=3",
      "--max-journal-bytes=64MiB",
      "--max-total-journal-bytes=8MiB",
      "--request-retention=0",
    ],
  });

  test("expires the execs that ended first, whatever still runs", async () => {
    const { execId: running } = await standing(server);
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { execId } = await server.spawn(`echo ${i}`);
      await server.ended(execId);
      ids.push(execId);
    }
    const { execs } = await server.exec.listExecs({});
    expect(execs.map(({ execId }) => execId)).toEqual([...ids.slice(2).toReversed(), running]);
    for (const call of await refusals(ids.slice(0, 2).map((execId) => server.exec.readOutput({ execId })))) {
      expect(call).toMatchObject({ code: "NOT_FOUND", reason: "EXEC_EXPIRED" });
    }
    await server.kill(running);
  });

  test("expires ended execs early for want of room, then takes the oldest bytes of those that run", async () => {
    const { execId: ended } = await server.spawn("head -c 1000000 /dev/zero");
    await server.ended(ended);
    const { execId } = await server.spawn(`head -c ${40 * MIB} /dev/zero; sleep 1000`);
    await until(async () => {
      const { exec } = await server.exec.getExec({ execId });
      return exec?.endCursor === BigInt(40 * MIB) && exec.beginCursor > 0n;
    });
    expect(await refusal(server.exec.getExec({ execId: ended }))).toMatchObject({ reason: "EXEC_EXPIRED" });
    const { lost } = await server.exec.readOutput({ execId, maxBytes: 1, start: { case: "cursor", value: 0n } });
    expect(lost).toMatchObject({ beginCursor: 0n, stderrBytes: 0n });
    expect(lost?.endCursor).toBe(lost?.stdoutBytes);
    await server.kill(execId);
  });

  test("keeps of an exec's output what was asked for, tells what is lost, and counts on", async () => {
    // A digit a line, so that each byte says where it belongs.
    const line = (index: number) => `${String(index).padStart(7, "0")}\n`;
    const count = 100_000;
    const { execId } = await server.spawn(`seq -f %07.0f 0 ${count - 1}; read -r _; echo over >&2`, {
      stdin: {},
      output: { keepBytes: 128n * 1024n },
    });
    // The other stream's end is seen last only if it comes last.
    await until(async () => (await server.exec.getExec({ execId })).exec?.stdoutBytes === BigInt(count * 8));
    await server.type(execId, "\n");
    const exec = await server.ended(execId);
    const total = BigInt(count * 8 + 5);
    expect(exec).toMatchObject({ endCursor: total, stderrBytes: 5n });
    const kept = Number(total - exec.beginCursor);
    expect(kept).toBeGreaterThan(64 * 1024);
    expect(kept).toBeLessThan(256 * 1024);

    const all = await server.attach(execId, { case: "cursor", value: 10n });
    expect(all.lost).toMatchObject([
      { beginCursor: 10n, endCursor: exec.beginCursor, stdoutBytes: exec.beginCursor - 10n, stderrBytes: 0n },
    ]);
    const expected = Array.from({ length: count }, (_, index) => line(index)).join("");
    expect(all.stdout).toBe(expected.slice(Number(exec.beginCursor)));
    expect(all.stderr).toBe("over\n");
    expect(all.output[0]).toMatchObject({ cursor: exec.beginCursor, streamOffset: exec.beginCursor });
    expect(all.output.find(({ stream }) => stream === OutputStream.STDERR)?.streamOffset).toBe(0n);
    expect((await server.attach(execId, undefined)).lost).toEqual([]);
  });

  test("remembers no answer to a signal where it is to keep none", async () => {
    const { execId } = await server.spawn(`exec ${fixture("count-signals.mjs", "got", "SIGUSR2")}`);
    await server.printed(execId, "ready\n");
    for (const n of [1, 2]) {
      await server.exec.sendSignal({ execId, signal: "USR2", target: SignalTarget.PROCESS, requestId: "the same" });
      await server.printed(execId, `got ${n}.\n`);
    }
    await server.kill(execId);
  });
});

describe("a server with a short memory", () => {
  const server = execServer({ flags: ["--exec-retention=400ms", "--max-remembered-ids=2"] });

  test("says when an exec expires, then removes its output and refuses its id", async () => {
    const { execId } = await server.spawn("read -r _; echo here", { stdin: {} });
    // Who waits already is told the end when it comes, and not when the record is gone again.
    const waiting = server.ended(execId);
    await server.type(execId, "\n");
    const { ended, expireTime } = await waiting;
    const milliseconds = ({ seconds, nanos }: { seconds: bigint; nanos: number }) =>
      Number(seconds) * 1000 + nanos / 1_000_000;
    if (expireTime === undefined || ended.endTime === undefined) throw new Error("a time is missing");
    expect(milliseconds(expireTime)).toBe(milliseconds(ended.endTime) + 400);
    await until(async () => (await reasonOf(server.exec.getExec({ execId }))) === "EXEC_EXPIRED");
    await until(async () => (await readdir(join(server.served.stateDirectory, "output"))).length === 0);
    expect((await server.exec.listExecs({})).execs).toEqual([]);
    for (const refused of await refusals([
      server.exec.startExec({ exec: { execId, program: shell("echo here") } }),
      server.exec.exec({ execId, program: shell("echo here") }),
      server.exec.attach({ execId }),
      server.exec.readOutput({ execId }),
      server.exec.writeStdin({ execId }),
      server.exec.sendSignal({ execId, signal: "TERM" }),
      server.exec.resizeTerminal({ execId, columns: 1, rows: 1 }),
    ])) {
      expect(refused).toMatchObject({ code: "NOT_FOUND", reason: "EXEC_EXPIRED", subject: execId });
    }
  });

  test("remembers so many expired ids and forgets the oldest, which then runs again", async () => {
    const ids = ["first", "second", "third"];
    for (const execId of ids) {
      await server.exec.startExec({ exec: { execId, program: shell("true") } });
      await until(async () => (await reasonOf(server.exec.getExec({ execId }))) === "EXEC_EXPIRED");
    }
    expect(await Promise.all(ids.map((execId) => reasonOf(server.exec.getExec({ execId }))))).toEqual([
      "EXEC_NOT_FOUND",
      "EXEC_EXPIRED",
      "EXEC_EXPIRED",
    ]);
    const { disposition } = await server.exec.startExec({ exec: { execId: "first", program: shell("true") } });
    expect(disposition).toBe(ExecDisposition.CREATED);
    expect(await readFile(join(server.served.stateDirectory, "execs.jsonl"), "utf8")).not.toBe("");
  });
});

/** A command that runs until the test is over. */
async function standing(server: ExecServer): Promise<{ execId: string }> {
  const { execId } = await server.spawn("sleep 1000");
  onTestFinished(async () => void (await reasonOf(server.kill(execId))));
  return { execId };
}
