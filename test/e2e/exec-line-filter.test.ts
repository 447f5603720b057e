import { create } from "@bufbuild/protobuf";
import { LineFilterSchema, OutputStream } from "@yonder/proto";
import { beforeAll, describe, expect, test } from "vitest";
import { cursor, execServer } from "../helpers/exec-server.ts";
import type { Read } from "../helpers/exec-server.ts";

const server = execServer();
const { STDOUT, STDERR } = OutputStream;

describe("a line filter", () => {
  let execId = "";
  const filter = (more: Parameters<typeof create<typeof LineFilterSchema>>[1]) => create(LineFilterSchema, more);
  const literal = (value: string) => ({ case: "literal" as const, value });
  const regex = (value: string) => ({ case: "regex" as const, value });
  const linesOf = async (lineFilter: Parameters<typeof filter>[0], more: Read = {}): Promise<string[]> =>
    (await server.read(execId, { lineFilter: filter(lineFilter), ...more })).lines.map(({ data }) =>
      Buffer.from(data).toString(),
    );

  beforeAll(async () => {
    const lines = ["one Apple", "two apples", "", "drei Äpfel", "a.c", "abc", "last apple"];
    execId = await server.runInTurn([
      `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")}`,
      "echo 'error: apple' >&2",
      "printf 'no line feed apple'",
    ]);
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
    let page = await server.read(execId, { lineFilter });
    for (;;) {
      all.push(...page.lines.map(({ data }) => Buffer.from(data).toString()));
      if (!page.truncated) break;
      expect(page.lines).toHaveLength(2);
      expect(page.ended).toBeUndefined();
      page = await server.read(execId, { lineFilter, ...cursor(page.nextCursor) });
    }
    expect(all).toEqual(["one Apple", "two apples", "last apple", "error: apple", "no line feed apple"]);
    expect(page.ended).toBeDefined();
    const { lines } = await server.read(execId, { lineFilter: filter({ expression: literal("last") }) });
    expect(lines).toMatchObject([{ stream: STDOUT, partial: false, cursor: 42n }]);
  });

  test("answers a long line in pieces, and cuts none in two that fits", async () => {
    const { execId: long } = await server.spawn("head -c 150000 /dev/zero | tr '\\0' x; echo; echo x");
    await server.ended(long);
    const { lines } = await server.read(long, { lineFilter: filter({ expression: literal("x") }) });
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
    const before = await server.read(running, { lineFilter });
    expect(before).toMatchObject({ lines: [], truncated: false });
    await server.exec.writeStdin({ execId: running, data: Buffer.from("\n") });
    await server.ended(running);
    const { lines } = await server.read(running, { lineFilter, ...cursor(before.nextCursor) });
    expect(lines.map(({ data }) => Buffer.from(data).toString())).toEqual(["half done"]);
  });

  test("of a pattern that other engines never come to an end with does not hold up the server", async () => {
    const { execId: hard } = await server.spawn("for i in $(seq 2000); do printf 'a%.0s' {1..400}; echo '!'; done");
    await server.ended(hard);
    for (const value of ["(a+)+$", "(a|aa)+$", "(.*)*(.*)*x", "((a?)+)+b"]) {
      let answered = 0;
      let isOver = false;
      const search = server
        .read(hard, { lineFilter: filter({ expression: regex(value) }) })
        .finally(() => (isOver = true));
      while (!isOver) {
        await server.exec.getExec({ execId: hard });
        answered += 1;
      }
      expect((await search).lines).toEqual([]);
      expect(answered).toBeGreaterThan(0);
    }
  });
});
