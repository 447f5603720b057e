import { EndReason, ExecState, OutputStream } from "@yonder/proto";
import { beforeAll, describe, expect, test } from "vitest";
import { cursor, execServer, refusal, textOf } from "../helpers/exec-server.ts";
import { until } from "../helpers/until.ts";

const server = execServer();
const { STDOUT, STDERR } = OutputStream;

const tail = (value: bigint) => ({ start: { case: "tailBytes" as const, value } });

describe("ReadOutput of an ended command", () => {
  let execId = "";
  /** Turn by turn, so that the order in which the server sees them is theirs. */
  const whole = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? `out ${index}\n` : `err ${index}\n`)).join(
    "",
  );
  beforeAll(async () => {
    const lines = whole.trimEnd().split("\n");
    execId = await server.runInTurn(lines.map((line) => `echo ${line}${line.startsWith("err") ? " >&2" : ""}`));
  });

  test("answers all of it in the order in which it was printed, with its end", async () => {
    const page = await server.read(execId);
    expect(textOf(page.output)).toBe(whole);
    expect(page).toMatchObject({
      nextCursor: BigInt(whole.length),
      endCursor: BigInt(whole.length),
      truncated: false,
      lines: [],
      ended: { reason: EndReason.EXITED },
    });
    expect(page.lost).toBeUndefined();
    expect(page.output.map(({ stream }) => stream)).toEqual(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? STDOUT : STDERR)),
    );
    const offsets = new Map<OutputStream, bigint>([
      [STDOUT, 0n],
      [STDERR, 0n],
    ]);
    let at = 0n;
    for (const { cursor, stream, streamOffset, data } of page.output) {
      expect({ cursor, streamOffset }).toEqual({ cursor: at, streamOffset: offsets.get(stream) });
      at += BigInt(data.length);
      offsets.set(stream, streamOffset + BigInt(data.length));
    }
  });

  test("answers the same by any size of page", async () => {
    for (const maxBytes of [1, 3, 7, 64, 1000]) {
      let text = "";
      let page = await server.read(execId, { maxBytes });
      for (;;) {
        text += textOf(page.output);
        expect(textOf(page.output).length).toBeLessThanOrEqual(maxBytes);
        expect(page.truncated).toBe(page.ended === undefined);
        if (!page.truncated) break;
        page = await server.read(execId, { maxBytes, ...cursor(page.nextCursor) });
      }
      expect(text).toBe(whole);
    }
  });

  test("answers a range, the tail, the end", async () => {
    expect(textOf((await server.read(execId, { ...cursor(10n), maxBytes: 20 })).output)).toBe(whole.slice(10, 30));
    expect(textOf((await server.read(execId, tail(15n))).output)).toBe(whole.slice(-15));
    expect(textOf((await server.read(execId, tail(1_000_000n))).output)).toBe(whole);
    expect((await server.read(execId, tail(0n))).output).toEqual([]);
    const end = await server.read(execId, cursor(BigInt(whole.length)));
    expect(end).toMatchObject({ output: [], truncated: false, ended: { exitCode: 0 } });
  });

  test("answers one stream", async () => {
    const { output, nextCursor, ended } = await server.read(execId, { stream: STDERR });
    expect(textOf(output)).toBe(whole.replaceAll(/out \d+\n/g, ""));
    expect(output.every(({ stream }) => stream === STDERR)).toBe(true);
    expect(nextCursor).toBe(BigInt(whole.length));
    expect(ended).toBeDefined();
    expect(textOf((await server.read(execId, { stream: STDOUT })).output)).toBe(whole.replaceAll(/err \d+\n/g, ""));
  });

  test("is the same by Attach, from each cursor", async () => {
    for (const at of [0n, 1n, 7n, BigInt(whole.length)]) {
      const { output, ended } = await server.attach(execId, { case: "cursor", value: at });
      expect(textOf(output)).toBe(whole.slice(Number(at)));
      expect(ended.reason).toBe(EndReason.EXITED);
    }
    expect(textOf((await server.attach(execId, { case: "tailBytes", value: 9n })).output)).toBe(whole.slice(-9));
    expect((await server.attach(execId, { case: "live", value: true })).output).toEqual([]);
  });
});

describe("who waits", () => {
  test("for output gets it when it comes, and the end when that comes", async () => {
    const { execId } = await server.spawn("read -r line; echo got $line; read -r line; exit 4", { stdin: {} });
    const wait = { seconds: 25n };
    const first = server.exec.readOutput({ execId, wait });
    await server.exec.writeStdin({ execId, data: Buffer.from("a\n") });
    const page = await first;
    expect(textOf(page.output)).toBe("got a\n");
    expect(page.ended).toBeUndefined();
    const end = server.exec.readOutput({ execId, wait, ...cursor(page.nextCursor) });
    const record = server.exec.getExec({ execId, wait });
    await server.exec.writeStdin({ execId, offset: 2n, data: Buffer.from("b\n") });
    expect(await end).toMatchObject({ output: [], ended: { exitCode: 4 } });
    expect((await record).exec).toMatchObject({ state: ExecState.ENDED, ended: { exitCode: 4 } });
  });

  test("is answered when the wait is over, and not told an end", async () => {
    const { execId } = await server.spawn("sleep 1000");
    const wait = { nanos: 100_000_000 };
    expect((await server.exec.getExec({ execId, wait })).exec).toMatchObject({ state: ExecState.RUNNING });
    const page = await server.exec.readOutput({ execId, wait });
    expect(page).toMatchObject({ output: [], nextCursor: 0n, truncated: false });
    expect(page.ended).toBeUndefined();
    await server.kill(execId);
  });

  test("and whose deadline passes is told so, while the command runs on", async () => {
    const { execId } = await server.spawn("sleep 1000");
    const call = server.exec.getExec({ execId, wait: { seconds: 60n } }, { timeoutMs: 100 });
    expect((await refusal(call)).code).toBe("DEADLINE_EXCEEDED");
    expect((await refusal(server.exec.attach({ execId }, { timeoutMs: 100 }))).code).toBe("DEADLINE_EXCEEDED");
    expect((await server.exec.getExec({ execId })).exec?.state).toBe(ExecState.RUNNING);
    await server.kill(execId);
  });
});

describe("Attach to a running command", () => {
  test("begins at a cursor, at a tail, or live, and goes on to the same end", async () => {
    const { execId } = await server.spawn("printf 0123456789; read -r _; printf abc", { stdin: {} });
    await server.printed(execId, "9");
    const starts = [
      undefined,
      { case: "cursor" as const, value: 4n },
      { case: "tailBytes" as const, value: 3n },
      { case: "live" as const, value: true },
    ];
    const streams = starts.map((start) => server.attach(execId, start));
    await until(async () => (await server.exec.getExec({ execId })).exec?.readers === starts.length);
    await server.exec.writeStdin({ execId, data: Buffer.from("\n") });
    const all = await Promise.all(streams);
    expect(all.map(({ stdout }) => stdout)).toEqual(["0123456789abc", "456789abc", "789abc", "abc"]);
    expect(new Set(all.map(({ ended }) => ended.endTime?.nanos)).size).toBe(1);
    expect((await server.ended(execId)).readers).toBe(0);
  });
});
