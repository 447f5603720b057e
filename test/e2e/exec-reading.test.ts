import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { EndReason, ExecState, LineFilterSchema, OutputStream } from "@yonder/proto";
import type { ReadOutputRequest, ReadOutputResponse } from "@yonder/proto";
import { beforeAll, describe, expect, test } from "vitest";
import { argv, execServer, refusal, textOf, told } from "../helpers/exec-server.ts";
import { until } from "../helpers/until.ts";

// With every line that a server can log, so that a secret could show in one.
const server = execServer({ flags: ["--log-level=debug"] });
const { STDOUT, STDERR } = OutputStream;

type Read = Partial<Omit<ReadOutputRequest, "$typeName" | "wait">>;

async function read(execId: string, more: Read = {}): Promise<ReadOutputResponse> {
  return await server.exec.readOutput({ ...more, execId });
}

async function kill(execId: string): Promise<void> {
  await server.exec.sendSignal({ execId, signal: "KILL" });
  await server.ended(execId);
}

const cursor = (value: bigint) => ({ start: { case: "cursor" as const, value } });
const tail = (value: bigint) => ({ start: { case: "tailBytes" as const, value } });

describe("ReadOutput of an ended command", () => {
  let execId = "";
  /** Turn by turn, so that the order in which the server sees them is theirs. */
  const whole = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? `out ${index}\n` : `err ${index}\n`)).join(
    "",
  );
  beforeAll(async () => {
    const turns = "for i in $(seq 0 2 18); do echo out $i; sleep 0.02; echo err $((i + 1)) >&2; sleep 0.02; done";
    ({ execId } = await server.spawn(turns));
    await server.ended(execId);
  });

  test("answers all of it in the order in which it was printed, with its end", async () => {
    const page = await read(execId);
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
      let page = await read(execId, { maxBytes });
      for (;;) {
        text += textOf(page.output);
        expect(textOf(page.output).length).toBeLessThanOrEqual(maxBytes);
        expect(page.truncated).toBe(page.ended === undefined);
        if (!page.truncated) break;
        page = await read(execId, { maxBytes, ...cursor(page.nextCursor) });
      }
      expect(text).toBe(whole);
    }
  });

  test("answers a range, the tail, the end", async () => {
    expect(textOf((await read(execId, { ...cursor(10n), maxBytes: 20 })).output)).toBe(whole.slice(10, 30));
    expect(textOf((await read(execId, tail(15n))).output)).toBe(whole.slice(-15));
    expect(textOf((await read(execId, tail(1_000_000n))).output)).toBe(whole);
    expect((await read(execId, tail(0n))).output).toEqual([]);
    const end = await read(execId, cursor(BigInt(whole.length)));
    expect(end).toMatchObject({ output: [], truncated: false, ended: { exitCode: 0 } });
  });

  test("answers one stream", async () => {
    const { output, nextCursor, ended } = await read(execId, { stream: STDERR });
    expect(textOf(output)).toBe(whole.replaceAll(/out \d+\n/g, ""));
    expect(output.every(({ stream }) => stream === STDERR)).toBe(true);
    expect(nextCursor).toBe(BigInt(whole.length));
    expect(ended).toBeDefined();
    expect(textOf((await read(execId, { stream: STDOUT })).output)).toBe(whole.replaceAll(/err \d+\n/g, ""));
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
    await kill(execId);
  });

  test("and whose deadline passes is told so, while the command runs on", async () => {
    const { execId } = await server.spawn("sleep 1000");
    const call = server.exec.getExec({ execId, wait: { seconds: 60n } }, { timeoutMs: 100 });
    expect((await refusal(call)).code).toBe("DEADLINE_EXCEEDED");
    expect((await refusal(server.exec.attach({ execId }, { timeoutMs: 100 }))).code).toBe("DEADLINE_EXCEEDED");
    expect((await server.exec.getExec({ execId })).exec?.state).toBe(ExecState.RUNNING);
    await kill(execId);
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

describe("a line filter", () => {
  let execId = "";
  const filter = (more: Parameters<typeof create<typeof LineFilterSchema>>[1]) => create(LineFilterSchema, more);
  const literal = (value: string) => ({ case: "literal" as const, value });
  const regex = (value: string) => ({ case: "regex" as const, value });
  const linesOf = async (lineFilter: Parameters<typeof filter>[0], more: Read = {}): Promise<string[]> =>
    (await read(execId, { lineFilter: filter(lineFilter), ...more })).lines.map(({ data }) =>
      Buffer.from(data).toString(),
    );

  beforeAll(async () => {
    const lines = ["one Apple", "two apples", "", "drei Äpfel", "a.c", "abc", "last apple"];
    ({ execId } = await server.spawn(
      `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")}; sleep 0.1; echo 'error: apple' >&2; sleep 0.1; printf 'no line feed apple'`,
    ));
    await server.ended(execId);
  });

  test("finds a text to the letter, or whatever its case", async () => {
    expect(await linesOf({ expression: literal("apple") })).toEqual([
      "two apples",
      "last apple",
      "error: apple",
      "no line feed apple",
    ]);
    expect(await linesOf({ expression: literal("apple"), ignoreCase: true })).toHaveLength(5);
    expect(await linesOf({ expression: literal("äpfel"), ignoreCase: true })).toEqual(["drei Äpfel"]);
    expect(await linesOf({ expression: literal("a.c") })).toEqual(["a.c"]);
  });

  test("finds a pattern, or whatever does not match", async () => {
    expect(await linesOf({ expression: regex("^a.c$") })).toEqual(["a.c", "abc"]);
    expect(await linesOf({ expression: regex("^ONE"), ignoreCase: true })).toEqual(["one Apple"]);
    expect(await linesOf({ expression: regex("(?i)apple|äpfel|a.c"), invert: true })).toEqual([""]);
    expect(await linesOf({ expression: literal("p"), invert: true })).toEqual(["", "a.c", "abc"]);
  });

  test("answers one stream, so many lines, and where to go on", async () => {
    expect(await linesOf({ expression: literal("apple") }, { stream: STDERR })).toEqual(["error: apple"]);
    const lineFilter = filter({ expression: literal("apple"), ignoreCase: true, maxLines: 2 });
    const all: string[] = [];
    let page = await read(execId, { lineFilter });
    for (;;) {
      all.push(...page.lines.map(({ data }) => Buffer.from(data).toString()));
      if (!page.truncated) break;
      expect(page.lines).toHaveLength(2);
      expect(page.ended).toBeUndefined();
      page = await read(execId, { lineFilter, ...cursor(page.nextCursor) });
    }
    expect(all).toEqual(["one Apple", "two apples", "last apple", "error: apple", "no line feed apple"]);
    expect(page.ended).toBeDefined();
    const { lines } = await read(execId, { lineFilter: filter({ expression: literal("last") }) });
    expect(lines).toMatchObject([{ stream: STDOUT, partial: false, cursor: 42n }]);
  });

  test("answers a long line in pieces, and cuts none in two that fits", async () => {
    const { execId: long } = await server.spawn("head -c 150000 /dev/zero | tr '\\0' x; echo; echo x");
    await server.ended(long);
    const { lines } = await read(long, { lineFilter: filter({ expression: literal("x") }) });
    expect(lines.map(({ data, partial }) => [data.length, partial])).toEqual([
      [65_536, true],
      [65_536, true],
      [150_000 - 131_072, false],
      [1, false],
    ]);
  });

  test("answers no line of a running command before it is over", async () => {
    const { execId: running } = await server.spawn("printf half; read -r _; echo ' done'", { stdin: {} });
    await server.printed(running, "half");
    const lineFilter = filter({ expression: literal("half") });
    const before = await read(running, { lineFilter });
    expect(before).toMatchObject({ lines: [], truncated: false });
    await server.exec.writeStdin({ execId: running, data: Buffer.from("\n") });
    await server.ended(running);
    const { lines } = await read(running, { lineFilter, ...cursor(before.nextCursor) });
    expect(lines.map(({ data }) => Buffer.from(data).toString())).toEqual(["half done"]);
  });

  test("of a pattern that other engines never come to an end with does not hold up the server", async () => {
    const { execId: hard } = await server.spawn("for i in $(seq 2000); do printf 'a%.0s' {1..400}; echo '!'; done");
    await server.ended(hard);
    for (const value of ["(a+)+$", "(a|aa)+$", "(.*)*(.*)*x", "((a?)+)+b"]) {
      let answered = 0;
      let isOver = false;
      const search = read(hard, { lineFilter: filter({ expression: regex(value) }) }).finally(() => (isOver = true));
      while (!isOver) {
        await server.exec.getExec({ execId: hard });
        answered += 1;
      }
      expect((await search).lines).toEqual([]);
      expect(answered).toBeGreaterThan(0);
    }
  });
});

describe("ListExecs", () => {
  test("lists the newest first, by labels and by state", async () => {
    const labels = { suite: "list", role: "dev server", emoji: "🦊" };
    const { execId: running } = await server.spawn("sleep 1000", { labels });
    const { execId: ended } = await server.spawn("true", { labels: { suite: "list" } });
    await server.spawn("true", { labels: { suite: "other" } });
    await server.ended(ended);
    const ids = async (request: object) => (await server.exec.listExecs(request)).execs.map(({ execId }) => execId);
    expect(await ids({ labels: { suite: "list" } })).toEqual([ended, running]);
    expect(await ids({ labels: { suite: "list", role: "dev server" } })).toEqual([running]);
    expect(await ids({ labels: { suite: "list", role: "no" } })).toEqual([]);
    expect(await ids({ labels: { toString: "no" } })).toEqual([]);
    expect(await ids({ labels: { suite: "list" }, state: ExecState.RUNNING })).toEqual([running]);
    expect(await ids({ labels: { suite: "list" }, state: ExecState.ENDED })).toEqual([ended]);
    expect((await server.exec.listExecs({ labels })).execs[0]).toMatchObject({ labels, state: ExecState.RUNNING });
    await kill(running);
  });

  test("has pages that stay what they are while new execs start", async () => {
    const labels = { suite: "pages" };
    const old: string[] = [];
    for (let i = 0; i < 7; i++) old.unshift((await server.spawn("true", { labels })).execId);
    const seen: string[] = [];
    const sizes: number[] = [];
    let pageToken = "";
    do {
      const page = await server.exec.listExecs({ labels, pageSize: 3, pageToken });
      seen.push(...page.execs.map(({ execId }) => execId));
      sizes.push(page.execs.length);
      pageToken = page.nextPageToken;
      await server.spawn("true", { labels });
    } while (pageToken !== "");
    expect(seen).toEqual(old);
    expect(sizes).toEqual([3, 3, 1]);
  });

  test("ends without a token where a page is just full", async () => {
    const labels = { suite: "full" };
    for (let i = 0; i < 2; i++) await server.spawn("true", { labels });
    const page = await server.exec.listExecs({ labels, pageSize: 2 });
    expect(page.execs).toHaveLength(2);
    expect(page.nextPageToken).toBe("");
    expect(await server.exec.listExecs({ labels: { suite: "none" } })).toMatchObject({ execs: [], nextPageToken: "" });
  });
});

describe("what an exec tells of itself", () => {
  test("is what was asked for", async () => {
    mkdirSync(join(server.directory, "below"));
    const request = {
      program: argv("sh", "-c", "exit 3", "with  spaces", ""),
      workingDirectory: "below",
      labels: { a: "b" },
    };
    const { exec } = await server.spawn(request);
    const { ended, ...rest } = await server.ended(exec.execId);
    expect(rest).toMatchObject({
      program: { case: "args", value: { values: request.program.value.values } },
      workingDirectory: join(server.directory, "below"),
      labels: { a: "b" },
      user: "",
      state: ExecState.ENDED,
      pid: 0,
      stdinOpen: false,
    });
    expect(rest.rawWorkingDirectory).toHaveLength(0);
    expect(rest.terminal).toBeUndefined();
    expect(exec.pid).toBeGreaterThan(0);
    expect(ended.startTime).toEqual(rest.startTime);
  });

  test("has a directory that is no UTF-8 as bytes, in and out", async () => {
    const name = Buffer.from("caf\u00e9-\u00ff", "latin1");
    const path = Buffer.concat([Buffer.from(`${server.directory}/`), name]);
    mkdirSync(path);
    for (const rawWorkingDirectory of [name, path]) {
      const { execId } = await server.spawn("pwd -P", { rawWorkingDirectory });
      const { rawWorkingDirectory: told, workingDirectory } = await server.ended(execId);
      expect(Buffer.from(told)).toEqual(path);
      expect(workingDirectory).toContain("caf\ufffd-\ufffd");
      const { output } = await read(execId);
      expect(Buffer.concat(output.map(({ data }) => data))).toEqual(Buffer.concat([path, Buffer.from("\n")]));
    }
    const { exec } = await server.spawn("true");
    expect(exec.workingDirectory).toBe(server.directory);
    expect(exec.rawWorkingDirectory).toHaveLength(0);
  });

  test("never has a value of its environment or a byte of its input: in no answer, log or file", async () => {
    const [value, input, later] = ["s3cret-value", "s3cret-input", "s3cret-later"];
    const { execId } = await server.spawn("cat > /dev/null; echo ${#TOKEN}", {
      environment: { variables: { TOKEN: value } },
      stdin: { data: Buffer.from(input) },
    });
    await server.exec.writeStdin({ execId, offset: BigInt(input.length), data: Buffer.from(later), eof: true });
    await server.ended(execId);
    // The refused are logged with a reason.
    const bad = { TOKEN: `${value}\0` };
    const request = { program: { case: "command" as const, value: "true" }, environment: { variables: bad } };
    const refused = await refusal(server.exec.startExec({ exec: request }));
    const answers = [
      await server.exec.getExec({ execId }),
      await server.exec.listExecs({}),
      await read(execId),
      await told(server.exec.attach({ execId })),
      refused,
    ];
    const text = JSON.stringify(answers, (_, item: unknown) =>
      item instanceof Uint8Array
        ? Buffer.from(item).toString("latin1")
        : typeof item === "bigint"
          ? String(item)
          : item,
    );
    await until(() => server.served.log.includes("invalid argument"));
    const files = contentOf(server.served.stateDirectory);
    for (const content of [text, files]) expect(content).toContain(execId);
    for (const content of [text, files, server.served.log]) {
      for (const secret of [value, input, later]) expect(content).not.toContain(secret);
    }
  });
});

function contentOf(directory: string): string {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, "latin1"))
    .join("\n");
}
