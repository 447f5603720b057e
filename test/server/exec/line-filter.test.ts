import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Journal, type JournalOptions } from "../../../server/src/exec/journal/journal.ts";
import {
  filterLines,
  type FilteredLines,
  type LineFilterOptions,
} from "../../../server/src/exec/journal/line-filter.ts";
import type { OutputStream } from "../../../server/src/exec/spec.ts";
import { InvalidRequest } from "../../../server/src/util/errors.ts";

const KIB = 1024;
const PIECE_BYTES = 64 * KIB;

let directory: string;
let journal: Journal;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "yonder-lines-"));
  journal = openJournal({});
});

afterEach(async () => {
  await journal.remove();
  rmSync(directory, { recursive: true, force: true });
});

function openJournal(changed: Partial<JournalOptions>): Journal {
  return new Journal({ directory, name: "1", memoryBytes: 64 * KIB, keepBytes: 256 * KIB * KIB, ...changed });
}

async function print(stream: OutputStream, text: string | Buffer): Promise<void> {
  await journal.append(stream, Buffer.from(text));
}

function filter(changed: Partial<LineFilterOptions> = {}): Promise<FilteredLines> {
  return filterLines(journal, {
    cursor: 0,
    expression: { regex: "" },
    ignoreCase: false,
    invert: false,
    stream: undefined,
    maxLines: 0,
    maxBytes: 64 * KIB * KIB,
    ended: true,
    ...changed,
  });
}

function textsOf({ lines }: FilteredLines): string[] {
  return lines.map(({ data }) => Buffer.from(data).toString());
}

describe("filterLines", () => {
  it("answers the lines that hold a literal, without their line feeds, and says where they begin", async () => {
    await print("stdout", "one error\ntwo\nthree error\n");
    const found = await filter({ expression: { literal: "error" } });
    expect(textsOf(found)).toEqual(["one error", "three error"]);
    expect(found.lines.map(({ cursor }) => cursor)).toEqual([0, 14]);
    expect(found).toMatchObject({ lost: undefined, nextCursor: 26, truncated: false });
  });

  it("keeps the lines of the two streams apart, in the order in which they were over", async () => {
    await print("stdout", "out begins, ");
    await print("stderr", "err begins, ");
    await print("stdout", "out ends\n");
    await print("stderr", "err ends\n");
    const found = await filter({ expression: { literal: "begins" } });
    expect(textsOf(found)).toEqual(["out begins, out ends", "err begins, err ends"]);
    expect(found.lines.map(({ stream, cursor }) => ({ stream, cursor }))).toEqual([
      { stream: "stdout", cursor: 0 },
      { stream: "stderr", cursor: 12 },
    ]);
    expect(textsOf(await filter({ stream: "stderr" }))).toEqual(["err begins, err ends"]);
  });

  it("answers the other lines where it is inverted, empty ones too", async () => {
    await print("stdout", "a\n\nb\n");
    expect(textsOf(await filter({ expression: { literal: "a" }, invert: true }))).toEqual(["", "b"]);
  });

  it("compares literals as bytes, whatever else a line holds", async () => {
    await print("stdout", Buffer.from([0xff, 0x00, 0xc3, 0xa9, 0x0a, 0xe9, 0x0a]));
    const { lines } = await filter({ expression: { literal: "é" } });
    expect(lines.map(({ data }) => [...data])).toEqual([[0xff, 0x00, 0xc3, 0xa9]]);
  });

  it("finds no literal that holds a line feed, since no line does", async () => {
    await print("stdout", "a\nb\n");
    expect(textsOf(await filter({ expression: { literal: "a\nb" } }))).toEqual([]);
    expect(textsOf(await filter({ expression: { literal: "a\nb" }, invert: true }))).toEqual(["a", "b"]);
  });

  it("takes upper and lower case as the same in any script, and in ASCII where a line is not UTF-8", async () => {
    await print("stdout", "ГРÜẞE ΣΑΣ\nno\n");
    await print("stdout", Buffer.from([0xff, ...Buffer.from("Error"), 0x0a]));
    const ignoreCase = true;
    expect(textsOf(await filter({ expression: { literal: "грü" }, ignoreCase }))).toHaveLength(1);
    expect(textsOf(await filter({ expression: { literal: "σας" }, ignoreCase }))).toHaveLength(1);
    expect(textsOf(await filter({ expression: { literal: "eRROR" }, ignoreCase }))).toHaveLength(1);
    expect(textsOf(await filter({ expression: { regex: "^грü" }, ignoreCase }))).toHaveLength(1);
  });

  it("matches a pattern against each line's text", async () => {
    await print("stdout", "warning: 1\nerror: 22\nerror: x\nprüfung ü\n");
    expect(textsOf(await filter({ expression: { regex: "^error: \\d+$" } }))).toEqual(["error: 22"]);
    expect(textsOf(await filter({ expression: { regex: "^pr.fung \\p{L}$" } }))).toEqual(["prüfung ü"]);
  });

  it.each(["(", "a**", "(?=a)", "(a)\\1", "[z-a]"])("refuses %s, which is no pattern, by its field", async (regex) => {
    const refused = filter({ expression: { regex } });
    await expect(refused).rejects.toBeInstanceOf(InvalidRequest);
    await expect(refused).rejects.toMatchObject({
      reason: "INVALID_FIELD",
      context: { subject: "line_filter.regex" },
    });
  });

  it("takes the longest literal pattern, and refuses one that repeats beyond what can be run quickly", async () => {
    await print("stdout", "x\n");
    expect(textsOf(await filter({ expression: { regex: "y".repeat(1000) } }))).toEqual([]);
    await expect(filter({ expression: { regex: "[ab]{1000}".repeat(90) } })).rejects.toMatchObject({
      context: { subject: "line_filter.regex" },
    });
  });

  it("cuts a long line into pieces of 64 KiB and says which go on", async () => {
    await print("stdout", `${"x".repeat(150 * KIB)}\n${"y".repeat(PIECE_BYTES)}\nend\n`);
    const found = await filter();
    expect(found.lines.map(({ cursor, data, partial }) => [cursor, data.length, partial])).toEqual([
      [0, 64 * KIB, true],
      [64 * KIB, 64 * KIB, true],
      [128 * KIB, 22 * KIB, false],
      [150 * KIB + 1, 64 * KIB, false],
      [214 * KIB + 2, 3, false],
    ]);
  });

  it("answers an unfinished line only once the exec has ended", async () => {
    await print("stdout", "done\nunfin");
    const running = await filter({ ended: false });
    expect(textsOf(running)).toEqual(["done"]);
    expect(running).toMatchObject({ nextCursor: 10, truncated: false });
    await print("stdout", "ished");
    const { nextCursor } = await filter({ cursor: running.nextCursor, ended: false });
    const last = await filter({ cursor: nextCursor });
    expect(last.lines).toMatchObject([{ cursor: 5, partial: false }]);
    expect(textsOf(last)).toEqual(["unfinished"]);
  });

  it("finds the beginning of a line that the other stream tore apart by megabytes", async () => {
    await print("stderr", "Compiling ... ");
    for (let i = 0; i < 40; i++) await print("stdout", `${"x".repeat(255 * KIB)}\n`);
    const between = await filter({ expression: { literal: "..." }, ended: false, maxLines: 100 });
    expect(textsOf(between)).toEqual([]);
    expect(between.nextCursor).toBe(journal.endCursor);
    await print("stderr", "done\n");
    const after = await filter({ expression: { literal: "..." }, cursor: between.nextCursor });
    expect(textsOf(after)).toEqual(["Compiling ... done"]);
    expect(after.lines[0]?.cursor).toBe(0);
  });

  it("answers no more lines and bytes than asked for, but always one line", async () => {
    await print("stdout", "1111\n2222\n3333\n");
    const two = await filter({ maxLines: 2 });
    expect(textsOf(two)).toEqual(["1111", "2222"]);
    expect(two).toMatchObject({ nextCursor: 10, truncated: true });
    const small = await filter({ maxBytes: 2 * (4 + 32) });
    expect(textsOf(small)).toEqual(["1111", "2222"]);
    expect(small.truncated).toBe(true);
    expect(textsOf(await filter({ maxBytes: 1 }))).toEqual(["1111"]);
    expect(textsOf(await filter({ cursor: two.nextCursor }))).toEqual(["3333"]);
  });

  it("comes to an end although both streams end in an unfinished line and one line is asked for at a time", async () => {
    await print("stdout", "line\nout");
    await print("stderr", "err");
    const texts: string[] = [];
    let page = await filter({ maxLines: 1 });
    for (texts.push(...textsOf(page)); page.truncated; texts.push(...textsOf(page))) {
      page = await filter({ maxLines: 1, cursor: page.nextCursor });
    }
    expect(texts).toEqual(["line", "out", "err"]);
  });

  it("sees the last byte of the output behind a full answer", async () => {
    await print("stdout", "x".repeat(PIECE_BYTES + 1));
    const first = await filter({ maxLines: 1 });
    expect(first).toMatchObject({ nextCursor: PIECE_BYTES + 1, truncated: true });
    expect(textsOf(await filter({ cursor: first.nextCursor, maxLines: 1 }))).toEqual(["x"]);
  });

  it("tells what is lost and begins after it", async () => {
    journal = openJournal({ name: "2", keepBytes: 64 * KIB });
    for (let i = 0; i < 4000; i++) await print("stdout", `line ${String(i).padStart(20, "0")} of many\n`);
    const found = await filter({ expression: { literal: "many" } });
    expect(found.lost).toMatchObject({ beginCursor: 0, endCursor: journal.beginCursor });
    expect(found.lines.length).toBeGreaterThan(1000);
    expect(textsOf(found).at(-1)).toContain("3999");
  });

  it("looks at no more than 64 MiB at once, and lets others run meanwhile", async () => {
    const block = Buffer.from(`${"x".repeat(1023)}\n`.repeat(1024));
    for (let i = 0; i < 65; i++) await journal.append("stdout", block);
    await print("stdout", "needle\n");
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const first = await filter({ expression: { literal: "NEEDLE" }, ignoreCase: true });
    clearInterval(timer);
    expect(first).toMatchObject({ lines: [], truncated: true });
    expect(first.nextCursor).toBeLessThan(journal.endCursor);
    expect(turns).toBeGreaterThan(2);
    const second = await filter({ expression: { literal: "needle" }, cursor: first.nextCursor });
    expect(textsOf(second)).toEqual(["needle"]);
  });

  it("neither repeats a line nor leaves one out, wherever calls end and however streams lie in each other", async () => {
    const prints = fc.array(
      fc.record({
        stream: fc.constantFrom<OutputStream>("stdout", "stderr"),
        text: fc.oneof(
          { weight: 6, arbitrary: fc.stringMatching(/^[ab\n]{1,12}$/u) },
          {
            weight: 1,
            arbitrary: fc
              .tuple(fc.constantFrom(1, 1000, PIECE_BYTES - 1, PIECE_BYTES, 100_000, 150_000), fc.boolean())
              .map(([length, isLine]) => "a".repeat(length) + (isLine ? "\n" : "")),
          },
        ),
      }),
      { minLength: 1, maxLength: 30 },
    );
    const expressions = fc.constantFrom<LineFilterOptions["expression"]>(
      { literal: "a" },
      { literal: "ab" },
      { literal: "b" },
      { regex: "a" },
      { regex: "b$" },
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        prints,
        expressions,
        fc.boolean(),
        fc.constantFrom<OutputStream | undefined>(undefined, undefined, "stdout", "stderr"),
        fc.constantFrom(1, 2, 0),
        fc.constantFrom(1, 100, 10 * KIB * KIB),
        async (printed, expression, invert, stream, maxLines, maxBytes) => {
          await journal.remove();
          journal = openJournal({ name: `run-${run++}` });
          const matches = (text: string): boolean =>
            ("literal" in expression
              ? text.includes(expression.literal)
              : new RegExp(expression.regex, "u").test(text)) !== invert;
          const expected = allLines(printed).filter(
            (line) => (stream === undefined || line.stream === stream) && matches(line.text),
          );

          const found: Found[] = [];
          let cursor = 0;
          const page = async (ended: boolean): Promise<boolean> => {
            const asked = { cursor, expression, invert, stream, maxLines, maxBytes, ended };
            const { lines, nextCursor, truncated } = await filter(asked);
            expect(nextCursor).toBeGreaterThanOrEqual(cursor);
            cursor = nextCursor;
            for (const { data, ...line } of lines) found.push({ ...line, text: Buffer.from(data).toString() });
            return truncated;
          };
          for (const [i, { stream: to, text }] of printed.entries()) {
            await print(to, text);
            if (i % 3 === 0) await page(false);
          }
          while (await page(true)) continue;
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });
});

interface Found {
  cursor: number;
  stream: OutputStream;
  text: string;
  partial: boolean;
}

/** Every line, found the slow way: byte by byte. */
function allLines(printed: readonly { stream: OutputStream; text: string }[]): Found[] {
  const lines: Found[] = [];
  const open = {
    stdout: { begin: 0, text: "", offset: 0, room: PIECE_BYTES },
    stderr: { begin: 0, text: "", offset: 0, room: PIECE_BYTES },
  };
  let cursor = 0;
  for (const { stream, text } of printed) {
    for (const byte of text) {
      const line = open[stream];
      const isOver = byte === "\n";
      if (isOver || line.text.length === line.room) {
        if (isOver && line.text === "") line.begin = cursor;
        lines.push({ cursor: line.begin, stream, text: line.text, partial: !isOver });
        const room = isOver ? PIECE_BYTES : PIECE_BYTES - (line.offset % PIECE_BYTES);
        Object.assign(line, { text: "", room });
      }
      if (!isOver) {
        if (line.text === "") line.begin = cursor;
        line.text += byte;
      }
      line.offset++;
      cursor++;
    }
  }
  for (const stream of ["stdout", "stderr"] as const) {
    const { begin, text } = open[stream];
    if (text !== "") lines.push({ cursor: begin, stream, text, partial: false });
  }
  return lines;
}
