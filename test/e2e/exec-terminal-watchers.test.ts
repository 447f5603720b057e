import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import headless from "@xterm/headless";
import { EndReason, OutputStream } from "@yonder/proto";
import { beforeAll, describe, expect, test } from "vitest";
import { Eyes } from "../helpers/eyes.ts";
import { argv, execServer, refusal, told } from "../helpers/exec-server.ts";
import { until } from "../helpers/until.ts";

const server = execServer();
const size = (columns: number, rows: number) => ({ terminal: { columns, rows } });

beforeAll(async () => {
  await writeFile(join(server.directory, "draw.sh"), drawing, { mode: 0o755 });
});

const fromStart = { case: "cursor", value: 0n } as const;

/** A program of the kind of top and vi: alternate screen, colours, scroll region, text that is no ASCII, a cursor of its own. */
const drawing = `#!/bin/bash
draw() {
  local rows columns
  read -r rows columns < <(stty size)
  printf '\\033[2J\\033[H\\033[7m %-10s %s \\033[0m' "frame $1" "$rows x $columns"
  for i in 3 4 5 6; do printf '\\033[%d;4H\\033[3%dm│ row %d ─ é 漢字 %s\\033[0m' $i $((i - 2)) $i "$1"; done
  printf '\\033[3;6r\\033[6;1H\\n\\033[r\\033[8;12Hprompt> '
}
trap 'draw resized' WINCH
stty -echo
printf '\\033]0;a title\\007\\033[?1049h\\033[?25l\\033[?2004h'
draw first
while :; do
  # bash looks after a trap only between two reads; each may end in the midst of a line.
  read -r -t 0.1 part; over=$?
  line+=$part
  [ $over = 0 ] || continue
  [ "$line" != quit ] || break
  draw "$line"
  line=
done
printf '\\033[?1049l\\033[?25hleft\\n'
`;

describe("a watcher who comes later", () => {
  test("sees what one sees who saw everything, and goes on with it", async () => {
    const { execId } = await server.spawn({ program: argv("./draw.sh") }, size(60, 12));
    const first = new Eyes(server, 60, 12).watch(execId, fromStart);
    await until(() => first.text.includes("prompt>"));
    for (const word of ["second", "third"]) {
      await server.type(execId, `${word}\r`);
      await until(() => first.text.includes(`frame ${word}`) && first.picture.cursor === "19,7");
    }

    const late = new Eyes(server).watch(execId, { case: undefined });
    await until(() => late.cursor === first.cursor && late.screens.length === 1);
    expect(late.screens[0]).toMatchObject({ columns: 60, rows: 12, cursor: first.cursor });
    expect(late.picture).toEqual(first.picture);
    expect(late.picture.kind).toBe("alternate");
    expect(late.terminal.modes.bracketedPasteMode).toBe(true);

    await server.type(execId, "fourth\r");
    await until(() => first.text.includes("frame fourth") && first.picture.cursor === "19,7");
    await until(() => late.cursor === first.cursor);
    expect(late.picture).toEqual(first.picture);
    await server.type(execId, "quit\r");
    expect(await late.whole()).toEqual(await first.whole());
    expect(late.picture.kind).toBe("normal");
    expect(late.text).toContain("left");
    expect(late.picture.lines.filter((line) => line !== "")).toEqual(first.picture.lines.filter((line) => line !== ""));
  });

  test("sees the new size after a resize, and what the command drew for it", async () => {
    const { execId } = await server.spawn({ program: argv("./draw.sh") }, size(60, 12));
    await server.printed(execId, "prompt>");
    await server.exec.resizeTerminal({ execId, columns: 44, rows: 15 });
    const late = new Eyes(server).watch(execId, { case: "screen", value: true });
    await until(() => late.text.includes("frame resized"));
    expect(late.screens[0]).toMatchObject({ columns: 44, rows: 15 });
    expect(late.text).toContain("15 x 44");
    await server.kill(execId);
  });

  test("sees a whole picture at every moment of one that changes without rest, and never a torn control sequence", async () => {
    const frame = "printf '\\033[H\\033[3%dm<%05d>\\033[0m\\033[2;1H<%05d>' $((i % 8)) $i $i";
    const draw = `for ((i = 0; i < 12000; i++)); do ${frame}; done; read -r _; ${frame}`;
    const { execId } = await server.spawn(draw, size(20, 4));
    const first = new Eyes(server, 20, 4).watch(execId, fromStart);
    const later: Eyes[] = [];
    while (later.length < 10) {
      const eyes = new Eyes(server).watch(execId, { case: "screen", value: true });
      later.push(eyes);
      await until(() => eyes.screens.length === 1);
      const painted = new headless.Terminal({ cols: 20, rows: 4, allowProposedApi: true });
      await new Promise<void>((resolve) => painted.write(eyes.screens[0]?.data ?? "", resolve));
      const lines = [0, 1, 2, 3].map((row) => painted.buffer.active.getLine(row)?.translateToString(true));
      expect(lines.slice(0, 2).join("\n")).toMatch(/^(<\d{0,5}>?)?\n(<\d{0,5}>?)?$/);
      expect(lines.slice(2)).toEqual(["", ""]);
    }
    await server.type(execId, "\r");
    for (const eyes of [first, ...later]) expect((await eyes.whole())?.reason).toBe(EndReason.EXITED);
    expect(first.text).toContain("<12000>");
    for (const eyes of later) expect(eyes.picture).toEqual(first.picture);
  });

  test("of an ended one sees its last screen, then the end", async () => {
    const { execId } = await server.spawn("seq 1 500; printf last", size(40, 5));
    const { ended } = await server.ended(execId);
    const late = new Eyes(server).watch(execId, { case: undefined });
    expect(await late.whole()).toEqual(ended);
    expect(late.picture).toMatchObject({ lines: ["497", "498", "499", "500", "last"], cursor: "4,4" });
  });

  test("reads the raw bytes from any cursor, as they were printed", async () => {
    const { execId } = await server.spawn("printf '\\033[31mred\\033[0m'; printf '\\377\\000\\001'", { terminal: {} });
    await server.ended(execId);
    const whole = Buffer.from("\u001b[31mred\u001b[0m\u00ff\u0000\u0001", "latin1");
    for (const cursor of [0, 2, 9, whole.length]) {
      const { output } = await server.attach(execId, { case: "cursor", value: BigInt(cursor) });
      expect(Buffer.concat(output.map(({ data }) => data))).toEqual(whole.subarray(cursor));
      expect(output.every(({ stream }) => stream === OutputStream.STDOUT)).toBe(true);
    }
    const { screens, output } = await server.attach(execId, { case: "tailBytes", value: 3n });
    expect(screens).toEqual([]);
    expect(Buffer.concat(output.map(({ data }) => data))).toEqual(whole.subarray(-3));
  });

  test("who asks for bytes that are no longer kept is told so, and gets the screen", async () => {
    const { execId } = await server.spawn("seq 1 60000; sleep 1000", {
      ...size(30, 4),
      output: { keepBytes: 64n * 1024n },
    });
    await server.printed(execId, "60000\r\n");
    const { exec } = await server.exec.getExec({ execId });
    expect(exec?.beginCursor).toBeGreaterThan(0n);
    const stream = told(server.exec.attach({ execId, start: fromStart }));
    await until(async () => (await server.exec.getExec({ execId })).exec?.readers === 1);
    await server.kill(execId);
    const { lost, screens, stdout } = await stream;
    expect(lost).toMatchObject([{ beginCursor: 0n, endCursor: exec?.beginCursor }]);
    expect(screens).toMatchObject([{ columns: 30, rows: 4, cursor: exec?.endCursor }]);
    expect(Buffer.from(screens[0]?.data ?? []).toString()).toContain("59999");
    expect(stdout).toBe("");
  });
});

test("a terminal of an earlier server is read as before, raw and as screen", async () => {
  const { execId } = await server.spawn("printf '\\033[32mgreen\\033[0m\\nend'; exit 2", size(50, 5));
  const { ended } = await server.ended(execId);
  const { execId: lostId } = await server.spawn("printf begun; sleep 1000", size(50, 5));
  await server.printed(lostId, "begun");
  await server.restart("SIGKILL");

  const raw = await server.attach(execId, fromStart);
  expect(raw.stdout).toBe("\u001b[32mgreen\u001b[0m\r\nend");
  expect(raw.ended).toEqual(ended);
  const eyes = new Eyes(server).watch(execId, { case: undefined });
  expect(await eyes.whole()).toEqual(ended);
  expect(eyes.picture.lines).toEqual(["green", "end", "", "", ""]);
  expect(eyes.screens[0]).toMatchObject({ columns: 50, rows: 5 });
  expect(await refusal(server.exec.resizeTerminal({ execId, columns: 10, rows: 10 }))).toMatchObject({
    reason: "EXEC_ENDED",
  });
  const lost = new Eyes(server).watch(lostId, { case: undefined });
  expect((await lost.whole())?.reason).toBe(EndReason.SERVER_LOST);
  expect(lost.text.trim()).toBe("begun");
});
