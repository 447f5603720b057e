import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { describe, expect, it, vi } from "vitest";
import { readProcStat } from "../../../../server/src/exec/process/proc-stat.ts";
import { createTerminalOpener } from "../../../../server/src/exec/process/terminal.ts";
import { useLauncher } from "../../../fixtures/processes/launching.ts";
import { until } from "../../../helpers/until.ts";

const { SIGINT, SIGKILL, SIGTERM } = constants.signals;
const terminal = { columns: 91, rows: 33, terminalType: "xterm-256color" };
const isRoot = process.geteuid?.() === 0;

describe("a terminal", () => {
  const launching = useLauncher();
  const { launch, run } = launching;

  it("has the size and the type that were asked for, and is the session's own", async () => {
    const ran = await run("tty -s && stty size; echo $TERM; echo own > /dev/tty; echo err >&2", { terminal });
    expect(ran).toEqual({
      exitCode: 0,
      signal: undefined,
      stdout: "33 91\r\nxterm-256color\r\nown\r\nerr\r\n",
      stderr: "",
    });
  });

  it("loses no byte although its process ends at once", async () => {
    const whole = Array.from({ length: 200_000 }, (_, i) => `${i + 1}\r\n`).join("");
    const ran = await Promise.all([1, 2, 3].map(() => run("seq 1 200000; exit 5", { terminal })));
    expect(ran.every(({ stdout }) => stdout === whole)).toBe(true);
    expect(ran.map(({ exitCode }) => exitCode)).toEqual([5, 5, 5]);
    expect((await run({ args: ["seq", "1", "200000"] }, { terminal })).stdout === whole).toBe(true);
  });

  it("takes input as it is typed, and its end", async () => {
    const { process, printed, ended } = await launch("stty -echo; echo up; read -r line; echo got $line; cat", {
      terminal,
    });
    await printed("up");
    await process.input?.write(Buffer.from("a line\n"));
    await printed("got a line");
    await process.input?.write(Buffer.from("é\n"));
    process.input?.end();
    expect(Buffer.from((await ended).stdout, "latin1").toString()).toBe("up\r\ngot a line\r\né\r\n");
  });

  it("takes more input than fits, in the pace of its process", async () => {
    const { process, printed, ended } = await launch("stty raw -echo; echo up; sleep 0.1; head -c 300000 | sha256sum", {
      terminal,
    });
    await printed("up");
    await process.input?.write(Buffer.alloc(300_000, "abc"));
    expect(await ended).toMatchObject({ exitCode: 0 });
  });

  it("refuses input with EPIPE once its process is gone", async () => {
    const { process, ended } = await launch("true", { terminal });
    await ended;
    await expect(process.input?.write(Buffer.from("x"))).rejects.toMatchObject({ code: "EPIPE" });
  });

  it("can be resized, and tells its process", async () => {
    const { process, printed } = await launch("trap 'stty size' WINCH; echo up; while :; do sleep 0.01; done", {
      terminal,
    });
    await printed("up");
    process.resize(120, 50);
    await printed("50 120");
  });

  it("may be resized after its end", async () => {
    const { process, ended } = await launch("true", { terminal });
    await ended;
    process.resize(120, 50);
  });

  it("passes Ctrl-C on to the group in the foreground", async () => {
    const { process, printed } = await launch({ args: ["bash", "--norc", "-i"] }, { terminal });
    await process.input?.write(Buffer.from("sleep 300\n"));
    await until(() => foreground(process.pid) === "sleep");
    await process.input?.write(Buffer.of(3));
    await until(() => foreground(process.pid) === "bash");
    await process.input?.write(Buffer.from("echo after=$?\n"));
    await printed("after=130");
  });

  it("has a signal to the group sent to the group in the foreground", async () => {
    const { process, printed } = await launch({ args: ["bash", "--norc", "-i"] }, { terminal });
    await process.input?.write(Buffer.from("sleep 300\n"));
    await until(() => foreground(process.pid) === "sleep");
    expect(await process.signal(SIGINT, "group")).toBe(1);
    await until(() => foreground(process.pid) === "bash");
    await process.input?.write(Buffer.from("echo after=$?\n"));
    await printed("after=130");
  });

  it("ends with an interactive shell and its jobs, although such a shell passes over SIGTERM", async () => {
    const { process, printed } = await launch({ args: ["bash", "--norc", "-i"] }, { terminal });
    // Its next prompt shows that it reads again: a signal that comes before ends it.
    await process.input?.write(Buffer.from("sleep 300 & sleep 300 & PS1='ready''> '\n"));
    await printed("ready> ");
    // One that comes between that prompt and the read, bash 5.2 heeds only with the next key.
    await until(() => readProcStat(process.pid)?.state === "S");
    expect(await process.signal(SIGTERM, "process")).toBe(1);
    await process.endTree(600_000);
    expect(await process.exited).toMatchObject({ signal: "SIGHUP" });
  });

  it("ends with SIGKILL as any other", async () => {
    const { process, printed } = await launch("trap '' TERM HUP; echo up; while :; do sleep 1; done", { terminal });
    await printed("up");
    await process.signal(SIGKILL, "process");
    expect(await process.exited).toEqual({ exitCode: undefined, signal: "SIGKILL" });
  });

  it("has all that any process has: directory, environment, mark, a long shell line, limits", async () => {
    const line = `: ${"x".repeat(150_000)}; pwd; echo $A $YONDER_EXEC_MARK; ulimit -n`;
    const { process, ended, mark } = await launch(line, {
      terminal,
      workingDirectory: Buffer.from("/usr"),
      environment: { variables: { A: "b" }, clean: false, unset: [] },
      limits: { openFiles: 64 },
    });
    expect((await ended).stdout).toBe(`/usr\r\nb ${mark}\r\n64\r\n`);
    expect(process.leftoverMark.startTicks).toBeGreaterThan(0);
  });

  it("refuses what any process is refused, before it starts", async () => {
    await expect(run({ args: ["no-such-program"] }, { terminal })).rejects.toMatchObject({
      reason: "PROGRAM_NOT_FOUND",
    });
    await expect(run("true", { terminal, workingDirectory: Buffer.from("no") })).rejects.toMatchObject({
      reason: "DIRECTORY_NOT_FOUND",
    });
  });

  it.runIf(isRoot)("belongs to the user who runs in it", async () => {
    const ran = await run("id -u; stat -c %u $(tty); echo again > $(tty)", {
      terminal,
      user: "65534:65534",
      workingDirectory: Buffer.from("/"),
    });
    expect(ran.stdout).toBe("65534\r\n65534\r\nagain\r\n");
  });

  it("is kept open by nobody but its own processes", async () => {
    const first = await launch("sleep 300", { terminal });
    // Until they print, their libraries are being loaded, each by a descriptor; the one more command keeps the shell there.
    const second = await launch("echo up; sleep 300; :", { terminal });
    const third = await launch("echo up; sleep 300; :");
    await Promise.all([second.printed("up"), third.printed("up")]);
    const held = [second, third]
      .flatMap(({ process }) => targets(process.pid))
      .filter((target) => target.includes("ptmx"));
    expect(held).toEqual([]);
    // So it hangs up when the server lets go of it, whoever else runs.
    for (const output of first.process.outputs) output.destroy();
    expect(await first.process.exited).toMatchObject({ signal: "SIGHUP" });
  });
});

describe("a server without node-pty", () => {
  it("says how to get terminals", async () => {
    vi.doMock("node-pty", () => {
      throw new Error("Cannot find module");
    });
    await expect(createTerminalOpener().open(terminal, undefined)).rejects.toMatchObject({
      name: "Unsupported",
      reason: "TERMINAL_UNSUPPORTED",
      context: { remedy: expect.stringContaining("npm rebuild node-pty") as string },
    });
    vi.doUnmock("node-pty");
  });
});

/** The program that leads the group in the foreground of the process's terminal. */
function foreground(pid: number): string {
  const leader = readProcStat(pid)?.terminalGroup ?? 0;
  try {
    return readFileSync(`/proc/${leader}/comm`, "latin1").trim();
  } catch {
    // Nobody leads it, or whoever did is gone meanwhile.
    return "";
  }
}

function targets(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
}
