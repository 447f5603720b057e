import { EndReason, SignalTarget } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { Eyes } from "../helpers/eyes.ts";
import { argv, execServer } from "../helpers/exec-server.ts";
import { until } from "../helpers/until.ts";

const server = execServer();
const size = (columns: number, rows: number) => ({ terminal: { columns, rows } });

const fromStart = { case: "cursor", value: 0n } as const;

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
    await server.type(execId, "hello\r");
    expect(await server.printed(execId, "got hello\r\n")).toBe("hello\r\ngot hello\r\n");
    await server.type(execId, "\u0003");
    const { ended } = await server.ended(execId);
    expect(await server.printed(execId, "caught")).toContain("^C");
    expect(ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 9 });
  });

  test("takes the end of its input, and more input after it", async () => {
    const { execId } = await server.spawn("cat; echo first; cat; echo second", { terminal: {} });
    await server.type(execId, "a\r", true);
    await server.printed(execId, "first\r\n");
    expect((await server.exec.getExec({ execId })).exec?.stdinOpen).toBe(true);
    await server.type(execId, "b\r", true);
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
    await server.type(execId, "trap 'echo shell $((1+1))' USR1\r");
    await server.type(execId, 'bash -c \'trap "echo job; exit" USR1; echo be""gun; while :; do sleep 0.05; done\'\r');
    await server.printed(execId, "begun\r\n");
    const { signalledProcesses } = await server.exec.sendSignal({ execId, signal: "USR1", target: SignalTarget.GROUP });
    expect(signalledProcesses).toBeGreaterThan(0);
    await server.printed(execId, "job\r\n");
    await server.type(execId, "exit 6\r");
    expect((await server.ended(execId)).ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 6 });
    expect(await server.printed(execId, "exit 6")).not.toContain("shell 2");
  });

  test("is hung up when it is ended", async () => {
    const { ended, stdout } = await server.run(
      "trap 'echo hup' HUP; trap 'echo term; exit 1' TERM; sleep 1000 & wait",
      {
        terminal: {},
        timeout: { seconds: 3n },
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
    await server.kill(execId);
  });

  test("may be as small as one by one and as large as 10,000 by 10,000", async () => {
    const { execId } = await server.spawn("while read -r _; do stty size; done", size(80, 24));
    for (const length of [1, 10_000]) {
      await resize(execId, length, length);
      await server.type(execId, "\r");
      await server.printed(execId, `${length} ${length}\r\n`);
    }
    await server.kill(execId);
  });

  test("belongs to the first watcher who sets it, until it leaves or another takes it over", async () => {
    const { execId } = await server.spawn(`while :; do read -r _; stty size; done`, size(80, 24));
    const [a, b] = [new Eyes(server).watch(execId, fromStart, "a"), new Eyes(server).watch(execId, fromStart, "b")];
    const readers = (count: number) =>
      until(async () => (await server.exec.getExec({ execId })).exec?.readers === count);
    await readers(2);

    expect(await resize(execId, 100, 30, "a")).toMatchObject({ columns: 100, rows: 30, applied: true });
    expect(await resize(execId, 70, 20, "b")).toMatchObject({ columns: 100, rows: 30, applied: false });
    expect(await resize(execId, 60, 10)).toMatchObject({ columns: 100, rows: 30, applied: false });
    expect(await resize(execId, 100, 30, "b")).toMatchObject({ applied: true });
    expect(await resize(execId, 110, 31, "a")).toMatchObject({ columns: 110, rows: 31, applied: true });
    await server.type(execId, "\r");
    await server.printed(execId, "31 110\r\n");

    await a.leave();
    await readers(1);
    expect(await resize(execId, 70, 20, "b")).toMatchObject({ columns: 70, rows: 20, applied: true });
    const c = new Eyes(server).watch(execId, fromStart, "c");
    await readers(2);
    expect(await resize(execId, 90, 25, "c")).toMatchObject({ columns: 70, rows: 20, applied: false });
    expect(await resize(execId, 90, 25, "c", true)).toMatchObject({ columns: 90, rows: 25, applied: true });
    expect(await resize(execId, 70, 20, "b")).toMatchObject({ columns: 90, rows: 25, applied: false });
    await server.type(execId, "\r");
    await server.printed(execId, "25 90\r\n");
    await server.kill(execId);
    expect((await Promise.all([b.whole(), c.whole()])).map((ended) => ended?.reason)).toEqual([
      EndReason.KILLED,
      EndReason.KILLED,
    ]);
  });
});
