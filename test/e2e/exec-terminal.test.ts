import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import headless from "@xterm/headless";
import { EndReason, OutputStream, SignalTarget } from "@yonder/proto";
import type { AttachRequest, AttachResponse, ExecEnded, TerminalScreen } from "@yonder/proto";
import { beforeAll, describe, expect, test } from "vitest";
import { argv, execServer, refusal, told } from "../helpers/exec-server.ts";
import { until } from "../helpers/until.ts";

const server = execServer();
const size = (columns: number, rows: number) => ({ terminal: { columns, rows } });

beforeAll(async () => {
  await writeFile(join(server.directory, "draw.sh"), drawing, { mode: 0o755 });
});

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

/** A terminal as a person has it before their eyes. */
class Eyes {
  readonly terminal: headless.Terminal;
  cursor = 0n;
  ended: ExecEnded | undefined;
  readonly screens: TerminalScreen[] = [];
  readonly #caller = new AbortController();
  #reading: Promise<unknown> = Promise.resolve();

  constructor(columns = 80, rows = 24) {
    this.terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
  }

  watch(execId: string, start: AttachRequest["start"], readerId = ""): this {
    const stream = server.exec.attach({ execId, start, readerId }, { signal: this.#caller.signal });
    this.#reading = this.#read(stream);
    this.#reading.catch(() => {});
    return this;
  }

  /** Hangs up, or waits for the end. */
  async leave(): Promise<void> {
    this.#caller.abort();
    if (this.ended === undefined) expect((await refusal(this.#reading)).code).toBe("CANCELED");
  }

  async whole(): Promise<ExecEnded | undefined> {
    await this.#reading;
    return this.ended;
  }

  /** What stands there: characters with their colours and styles, the cursor's place, and which of the two screens it is. */
  get picture(): { lines: string[]; styles: string[]; cursor: string; kind: string } {
    const { buffer } = this.terminal;
    const { active } = buffer;
    const lines: string[] = [];
    const styles: string[] = [];
    for (let row = 0; row < this.terminal.rows; row++) {
      const line = active.getLine(active.viewportY + row);
      lines.push(line?.translateToString(true) ?? "");
      const cells = Array.from({ length: this.terminal.cols }, (_, column) => line?.getCell(column));
      styles.push(cells.map((cell) => `${cell?.getFgColor()}${cell?.isInverse() ? "i" : ""}`).join(","));
    }
    return { lines, styles, cursor: `${active.cursorX},${active.cursorY}`, kind: active.type };
  }

  get text(): string {
    return this.picture.lines.join("\n");
  }

  async #read(stream: AsyncIterable<AttachResponse>): Promise<void> {
    for await (const { event } of stream) {
      switch (event?.event.case) {
        case "screen": {
          const screen = event.event.value;
          this.screens.push(screen);
          this.terminal.resize(screen.columns, screen.rows);
          this.terminal.reset();
          await this.#show(screen.data);
          this.cursor = screen.cursor;
          break;
        }
        case "output":
          expect(event.event.value.cursor).toBe(this.cursor);
          await this.#show(event.event.value.data);
          this.cursor += BigInt(event.event.value.data.length);
          break;
        case "ended":
          this.ended = event.event.value;
          break;
        default:
      }
    }
  }

  async #show(data: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => this.terminal.write(data, resolve));
  }
}

const fromStart = { case: "cursor", value: 0n } as const;

async function type(execId: string, text: string, eof = false): Promise<void> {
  const offset = (await server.exec.getExec({ execId })).exec?.stdinOffset ?? 0n;
  await server.exec.writeStdin({ execId, offset, data: Buffer.from(text), eof });
}

async function kill(execId: string): Promise<void> {
  await server.exec.sendSignal({ execId, signal: "KILL" });
  await server.ended(execId);
}

describe("a command in a terminal", () => {
  test("has its size and type, and terminals as all its streams", async () => {
    const ask = "stty size; echo $TERM; for i in 0 1 2; do [ -t $i ] && echo tty $i; done; tty; ps -o tty= -p $$";
    const { stdout, stderr, ended } = await server.run(ask, {
      terminal: { columns: 101, rows: 33, terminalType: "vt100" },
    });
    const [rows, type, ...rest] = stdout.split("\r\n");
    expect(rows).toBe("33 101");
    expect(type).toBe("vt100");
    expect(rest.slice(0, 3)).toEqual(["tty 0", "tty 1", "tty 2"]);
    expect(rest[3]).toBe(`/dev/${rest[4]?.trim()}`);
    expect(stderr).toBe("");
    expect(ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 0, stderrBytes: 0n });
  });

  test("has 80 by 24 and xterm-256color where nothing is said", async () => {
    const { stdout, started } = await server.run("stty size; echo $TERM; echo err >&2", { terminal: {} });
    expect(stdout).toBe("24 80\r\nxterm-256color\r\nerr\r\n");
    const { exec } = await server.exec.getExec({ execId: started?.execId ?? "" });
    expect(exec?.terminal).toMatchObject({ columns: 80, rows: 24, terminalType: "xterm-256color" });
  });

  test("takes what is typed, and ^C as an interrupt", async () => {
    const { execId } = await server.spawn(
      "trap 'echo caught; exit 9' INT; read -r line; echo got $line; while :; do sleep 0.05; done",
      {
        terminal: {},
      },
    );
    await type(execId, "hello\r");
    expect(await server.printed(execId, "got hello\r\n")).toBe("hello\r\ngot hello\r\n");
    await type(execId, "\u0003");
    const { ended } = await server.ended(execId);
    expect(await server.printed(execId, "caught")).toContain("^C");
    expect(ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 9 });
  });

  test("takes the end of its input, and more input after it", async () => {
    const { execId } = await server.spawn("cat; echo first; cat; echo second", { terminal: {} });
    await type(execId, "a\r", true);
    await server.printed(execId, "first\r\n");
    expect((await server.exec.getExec({ execId })).exec?.stdinOpen).toBe(true);
    await type(execId, "b\r", true);
    expect((await server.ended(execId)).ended.exitCode).toBe(0);
    expect(await server.printed(execId, "second\r\n")).toBe("a\r\na\r\nfirst\r\nb\r\nb\r\nsecond\r\n");
  });

  test("takes input that came with the request", async () => {
    const { stdout } = await server.run("read -r line; echo got $line", {
      terminal: {},
      stdin: { data: Buffer.from("early\r") },
    });
    expect(stdout).toContain("got early\r\n");
  });

  test("prints 600 KB that arrive whole, with its exit code", async () => {
    const { stdout, ended } = await server.run("seq 1 100000; exit 3", { terminal: {} });
    const expected = Array.from({ length: 100_000 }, (_, index) => `${index + 1}\r\n`).join("");
    expect(stdout.length).toBe(expected.length);
    expect(stdout).toBe(expected);
    expect(ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 3, stdoutBytes: BigInt(expected.length) });
  });

  test("gets a signal for its group in the foreground", async () => {
    const { execId } = await server.spawn(
      { program: argv("bash", "--norc", "--noprofile", "-i") },
      { terminal: {}, environment: { variables: { PS1: "$ ", PS2: "", HISTFILE: "" } } },
    );
    await type(execId, "trap 'echo shell $((1+1))' USR1\r");
    await type(execId, 'bash -c \'trap "echo job; exit" USR1; echo be""gun; while :; do sleep 0.05; done\'\r');
    await server.printed(execId, "begun\r\n");
    const { signalledProcesses } = await server.exec.sendSignal({ execId, signal: "USR1", target: SignalTarget.GROUP });
    expect(signalledProcesses).toBeGreaterThan(0);
    await server.printed(execId, "job\r\n");
    await type(execId, "exit 6\r");
    expect((await server.ended(execId)).ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 6 });
    expect(await server.printed(execId, "exit 6")).not.toContain("shell 2");
  });

  test("is hung up when it is ended", async () => {
    const { ended, stdout } = await server.run(
      "trap 'echo hup' HUP; trap 'echo term; exit 1' TERM; sleep 1000 & wait",
      {
        terminal: {},
        timeout: { seconds: 1n },
      },
    );
    expect(ended.reason).toBe(EndReason.TIMED_OUT);
    expect(stdout).toMatch(/term|hup/);
  });
});

describe("the size of a terminal", () => {
  const resize = (execId: string, columns: number, rows: number, readerId = "", takeOwnership = false) =>
    server.exec.resizeTerminal({ execId, columns, rows, readerId, takeOwnership });

  test("is changed while it runs, and the command is told", async () => {
    const loop = "while :; do sleep 0.05; done";
    const { execId } = await server.spawn(`trap 'echo size $(stty size).' WINCH; echo ready; ${loop}`, size(80, 24));
    await server.printed(execId, "ready\r\n");
    expect(await resize(execId, 132, 50)).toMatchObject({ columns: 132, rows: 50, applied: true });
    await server.printed(execId, "size 50 132.\r\n");
    expect((await server.exec.getExec({ execId })).exec?.terminal).toMatchObject({ columns: 132, rows: 50 });
    await kill(execId);
  });

  test("may be as small as one by one and as large as 10,000 by 10,000", async () => {
    const { execId } = await server.spawn("while read -r _; do stty size; done", size(80, 24));
    for (const length of [1, 10_000]) {
      await resize(execId, length, length);
      await type(execId, "\r");
      await server.printed(execId, `${length} ${length}\r\n`);
    }
    await kill(execId);
  });

  test("belongs to the first watcher who sets it, until it leaves or another takes it over", async () => {
    const { execId } = await server.spawn(`while :; do read -r _; stty size; done`, size(80, 24));
    const [a, b] = [new Eyes().watch(execId, fromStart, "a"), new Eyes().watch(execId, fromStart, "b")];
    const readers = (count: number) =>
      until(async () => (await server.exec.getExec({ execId })).exec?.readers === count);
    await readers(2);

    expect(await resize(execId, 100, 30, "a")).toMatchObject({ columns: 100, rows: 30, applied: true });
    expect(await resize(execId, 70, 20, "b")).toMatchObject({ columns: 100, rows: 30, applied: false });
    expect(await resize(execId, 60, 10)).toMatchObject({ columns: 100, rows: 30, applied: false });
    expect(await resize(execId, 100, 30, "b")).toMatchObject({ applied: true });
    expect(await resize(execId, 110, 31, "a")).toMatchObject({ columns: 110, rows: 31, applied: true });
    await type(execId, "\r");
    await server.printed(execId, "31 110\r\n");

    await a.leave();
    await readers(1);
    expect(await resize(execId, 70, 20, "b")).toMatchObject({ columns: 70, rows: 20, applied: true });
    const c = new Eyes().watch(execId, fromStart, "c");
    await readers(2);
    expect(await resize(execId, 90, 25, "c")).toMatchObject({ columns: 70, rows: 20, applied: false });
    expect(await resize(execId, 90, 25, "c", true)).toMatchObject({ columns: 90, rows: 25, applied: true });
    expect(await resize(execId, 70, 20, "b")).toMatchObject({ columns: 90, rows: 25, applied: false });
    await type(execId, "\r");
    await server.printed(execId, "25 90\r\n");
    await kill(execId);
    expect((await Promise.all([b.whole(), c.whole()])).map((ended) => ended?.reason)).toEqual([
      EndReason.KILLED,
      EndReason.KILLED,
    ]);
  });
});

describe("a watcher who comes later", () => {
  test("sees what one sees who saw everything, and goes on with it", async () => {
    const { execId } = await server.spawn({ program: argv("./draw.sh") }, size(60, 12));
    const first = new Eyes(60, 12).watch(execId, fromStart);
    await until(() => first.text.includes("prompt>"));
    for (const word of ["second", "third"]) {
      await type(execId, `${word}\r`);
      await until(() => first.text.includes(`frame ${word}`) && first.picture.cursor === "19,7");
    }

    const late = new Eyes().watch(execId, { case: undefined });
    await until(() => late.cursor === first.cursor && late.screens.length === 1);
    expect(late.screens[0]).toMatchObject({ columns: 60, rows: 12, cursor: first.cursor });
    expect(late.picture).toEqual(first.picture);
    expect(late.picture.kind).toBe("alternate");
    expect(late.terminal.modes.bracketedPasteMode).toBe(true);

    await type(execId, "fourth\r");
    await until(() => first.text.includes("frame fourth") && first.picture.cursor === "19,7");
    await until(() => late.cursor === first.cursor);
    expect(late.picture).toEqual(first.picture);
    await type(execId, "quit\r");
    expect(await late.whole()).toEqual(await first.whole());
    expect(late.picture.kind).toBe("normal");
    expect(late.text).toContain("left");
    expect(late.picture.lines.filter((line) => line !== "")).toEqual(first.picture.lines.filter((line) => line !== ""));
  });

  test("sees the new size after a resize, and what the command drew for it", async () => {
    const { execId } = await server.spawn({ program: argv("./draw.sh") }, size(60, 12));
    await server.printed(execId, "prompt>");
    await server.exec.resizeTerminal({ execId, columns: 44, rows: 15 });
    const late = new Eyes().watch(execId, { case: "screen", value: true });
    await until(() => late.text.includes("frame resized"));
    expect(late.screens[0]).toMatchObject({ columns: 44, rows: 15 });
    expect(late.text).toContain("15 x 44");
    await kill(execId);
  });

  test("sees a whole picture at every moment of one that changes without rest, and never a torn control sequence", async () => {
    const frame = "printf '\\033[H\\033[3%dm<%05d>\\033[0m\\033[2;1H<%05d>' $((i % 8)) $i $i";
    const draw = `for ((i = 0; i < 12000; i++)); do ${frame}; done; read -r _; ${frame}`;
    const { execId } = await server.spawn(draw, size(20, 4));
    const first = new Eyes(20, 4).watch(execId, fromStart);
    const later: Eyes[] = [];
    while (later.length < 10) {
      const eyes = new Eyes().watch(execId, { case: "screen", value: true });
      later.push(eyes);
      await until(() => eyes.screens.length === 1);
      const painted = new headless.Terminal({ cols: 20, rows: 4, allowProposedApi: true });
      await new Promise<void>((resolve) => painted.write(eyes.screens[0]?.data ?? "", resolve));
      const lines = [0, 1, 2, 3].map((row) => painted.buffer.active.getLine(row)?.translateToString(true));
      expect(lines.slice(0, 2).join("\n")).toMatch(/^(<\d{0,5}>?)?\n(<\d{0,5}>?)?$/);
      expect(lines.slice(2)).toEqual(["", ""]);
    }
    await type(execId, "\r");
    for (const eyes of [first, ...later]) expect((await eyes.whole())?.reason).toBe(EndReason.EXITED);
    expect(first.text).toContain("<12000>");
    for (const eyes of later) expect(eyes.picture).toEqual(first.picture);
  });

  test("of an ended one sees its last screen, then the end", async () => {
    const { execId } = await server.spawn("seq 1 500; printf last", size(40, 5));
    const { ended } = await server.ended(execId);
    const late = new Eyes().watch(execId, { case: undefined });
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
    await kill(execId);
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
  const eyes = new Eyes().watch(execId, { case: undefined });
  expect(await eyes.whole()).toEqual(ended);
  expect(eyes.picture.lines).toEqual(["green", "end", "", "", ""]);
  expect(eyes.screens[0]).toMatchObject({ columns: 50, rows: 5 });
  expect(await refusal(server.exec.resizeTerminal({ execId, columns: 10, rows: 10 }))).toMatchObject({
    reason: "EXEC_ENDED",
  });
  const lost = new Eyes().watch(lostId, { case: undefined });
  expect((await lost.whole())?.reason).toBe(EndReason.SERVER_LOST);
  expect(lost.text.trim()).toBe("begun");
});
