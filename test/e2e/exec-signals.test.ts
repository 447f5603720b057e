import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EndReason, Feature, SignalTarget } from "@yonder/proto";
import type { AttachResponse, ExecResponse } from "@yonder/proto";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { argv, ExecServer, execServer, fixture, refusal, shell, textOf, told } from "../helpers/exec-server.ts";
import type { Request } from "../helpers/exec-server.ts";
import { gone, isAlive } from "../helpers/serve.ts";
import { until } from "../helpers/until.ts";

const server = execServer();
const { PROCESS, GROUP, TREE } = SignalTarget;

/**
 * Does something at each signal of this name, else nothing for ever, and says when it is ready. Beside the shell there is
 * one process, `$!`, that takes no notice of the signal.
 */
function onSignal(name: string, act: string): string {
  return `trap '' ${name}; sleep 1000 & trap '${act}' ${name}; echo ready; while :; do wait $!; done`;
}

async function send(execId: string, signal: string, target: SignalTarget = TREE, requestId = ""): Promise<number> {
  return (await server.exec.sendSignal({ execId, signal, target, requestId })).signalledProcesses;
}

describe("a signal", () => {
  test.for([
    ["SIGUSR1", "USR1"],
    ["usr1", "USR1"],
    ["10", "USR1"],
    ["SIGRTMIN+1", "RTMIN+1"],
    ["RTMAX-2", "RTMAX-2"],
    ["SIGWINCH", "WINCH"],
  ])("called %s arrives as %s", async ([asked = "", name = ""]) => {
    const { execId } = await server.spawn(onSignal(name, "echo got; kill -KILL $!; exit 7"));
    await server.printed(execId, "ready\n");
    expect(await send(execId, asked, PROCESS)).toBe(1);
    const { ended } = await server.ended(execId);
    expect(ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 7, signal: "" });
    expect(await server.printed(execId, "got\n")).toBe("ready\ngot\n");
  });

  test("reaches the process alone, its group, or the tree with those that left the session", async () => {
    const count = (name: string) => fixture("count-signals.mjs", name, "SIGUSR2");
    const { execId } = await server.spawn(`${count("member")} & setsid ${count("stray")} & exec ${count("leader")}`);
    const printed = async (lines: number): Promise<string[]> => {
      for (;;) {
        const all = textOf((await server.exec.readOutput({ execId })).output)
          .split("\n")
          .slice(0, -1);
        if (all.length === lines) return all.slice(3).toSorted();
      }
    };
    await printed(3);
    expect(await send(execId, "USR2", PROCESS)).toBe(1);
    expect(await printed(4)).toEqual(["leader 1."]);
    expect(await send(execId, "USR2", GROUP)).toBe(2);
    expect(await printed(6)).toEqual(["leader 1.", "leader 2.", "member 1."]);
    expect(await send(execId, "USR2", SignalTarget.UNSPECIFIED)).toBe(3);
    expect(await printed(9)).toEqual(["leader 1.", "leader 2.", "leader 3.", "member 1.", "member 2.", "stray 1."]);
    await send(execId, "KILL");
    expect((await server.ended(execId)).ended).toMatchObject({ reason: EndReason.KILLED, signal: "SIGKILL" });
  });

  test("with a request id is sent once, however often the call comes, and answered alike", async () => {
    const { execId } = await server.spawn(`exec ${fixture("count-signals.mjs", "got", "SIGUSR2")}`);
    await server.printed(execId, "ready\n");
    const id = `${execId}-a`;
    const first = await send(execId, "USR2", PROCESS, id);
    await server.printed(execId, "got 1.\n");
    const repeats = await Promise.all(Array.from({ length: 20 }, () => send(execId, "SIGUSR2", PROCESS, id)));
    expect(new Set([first, ...repeats])).toEqual(new Set([1]));

    // Whatever the repeats had sent would have come before this one.
    await send(execId, "USR2", PROCESS, `${execId}-b`);
    expect(await server.printed(execId, "got 2.\n")).toBe("ready\ngot 1.\ngot 2.\n");
    const together = await Promise.all(Array.from({ length: 20 }, () => send(execId, "USR2", PROCESS, `${execId}-c`)));
    expect(new Set(together)).toEqual(new Set([1]));
    await server.printed(execId, "got 3.\n");
    await send(execId, "USR2", PROCESS);
    await server.printed(execId, "got 4.\n");
    await send(execId, "KILL");
    expect((await server.ended(execId)).stdoutBytes).toBe(6n + 4n * 7n);
  });

  test("with the request id of another request is refused and not sent", async () => {
    const { execId } = await server.spawn("sleep 1000");
    const { execId: other } = await server.spawn("sleep 1000");
    const id = `${execId}-a`;
    await send(execId, "CONT", PROCESS, id);
    const calls = [
      { execId, signal: "KILL", target: PROCESS },
      { execId, signal: "CONT", target: TREE },
      { execId: other, signal: "CONT", target: PROCESS },
    ];
    for (const call of calls) {
      expect(await refusal(server.exec.sendSignal({ ...call, requestId: id }))).toMatchObject({
        code: "ALREADY_EXISTS",
        reason: "REQUEST_ID_CONFLICT",
        subject: id,
        message: expect.stringContaining(id),
      });
    }
    for (const each of [execId, other]) {
      expect((await server.exec.getExec({ execId: each })).exec?.ended).toBeUndefined();
      await send(each, "KILL");
    }
  });

  test("that was refused leaves its request id free", async () => {
    const { execId } = await server.spawn("true");
    await server.ended(execId);
    const { execId: other } = await server.spawn("sleep 1000");
    const request = { signal: "KILL", requestId: `${execId}-a` };
    expect(await refusal(server.exec.sendSignal({ ...request, execId }))).toMatchObject({ reason: "EXEC_ENDED" });
    expect((await server.exec.sendSignal({ ...request, execId: other })).signalledProcesses).toBe(1);
    expect((await server.ended(other)).ended.reason).toBe(EndReason.KILLED);
  });
});

describe("the end of a command is told as", () => {
  test("KILLED, where a client's signal ended it", async () => {
    for (const [signal, name] of [
      ["TERM", "SIGTERM"],
      ["9", "SIGKILL"],
      ["SIGRTMIN+1", "SIGRTMIN+1"],
    ]) {
      const { execId } = await server.spawn("echo ready; exec sleep 1000");
      await server.printed(execId, "ready\n");
      // The shell's own program may have to begin still: a signal that it catches would not end it.
      await until(async () => commandOf((await server.exec.getExec({ execId })).exec?.pid) === "sleep 1000");
      await send(execId, signal ?? "", PROCESS);
      const { ended, pid } = await server.ended(execId);
      expect(ended).toMatchObject({ reason: EndReason.KILLED, signal: name });
      expect(ended.exitCode).toBeUndefined();
      expect(pid).toBe(0);
    }
  });

  test("SIGNALED, where the signal was not a client's", async () => {
    const { ended, stdout } = await server.run("echo hi; kill -KILL $$");
    expect(ended).toMatchObject({ reason: EndReason.SIGNALED, signal: "SIGKILL" });
    expect(ended.exitCode).toBeUndefined();
    expect(stdout).toBe("hi\n");
  });

  test("EXITED with the code of whoever caught the signal, or lived with a killed child", async () => {
    const { execId } = await server.spawn(onSignal("TERM", "kill -KILL $!; exit 3"));
    await server.printed(execId, "ready\n");
    await send(execId, "TERM", PROCESS);
    expect((await server.ended(execId)).ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 3, signal: "" });
    const { ended } = await server.run("sh -c 'kill -9 $$'; exit $?");
    expect(ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 137, signal: "" });
  });

  test.for([0, 1, 126, 255])("EXITED with %i", async (code) => {
    const { ended } = await server.run(`exit ${code}`);
    expect(ended).toMatchObject({ reason: EndReason.EXITED, exitCode: code, signal: "" });
  });

  test("the same record, however it is read", async () => {
    const { execId } = await server.spawn("echo out; echo err >&2; exit 4");
    const { ended } = await server.ended(execId);
    expect(ended).toMatchObject({ stdoutBytes: 4n, stderrBytes: 4n, exitCode: 4 });
    expect((await server.attach(execId, undefined)).ended).toEqual(ended);
    expect((await server.exec.readOutput({ execId })).ended).toEqual(ended);
    const { execs } = await server.exec.listExecs({});
    expect(execs.find((exec) => exec.execId === execId)?.ended).toEqual(ended);
  });
});

describe("what a command leaves in the background", () => {
  test("does not keep its end waiting, lives on, and can be signalled", async () => {
    const { ended, stdout, started } = await server.run("sleep 1000 & echo $!");
    expect(ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 0 });
    const pid = Number(stdout);
    expect(isAlive(pid)).toBe(true);
    const execId = started?.execId ?? "";
    expect(await send(execId, "CONT")).toBe(1);
    expect(isAlive(pid)).toBe(true);
    expect(await send(execId, "TERM")).toBe(1);
    await gone(pid);
    expect(await refusal(server.exec.sendSignal({ execId, signal: "TERM" }))).toMatchObject({ reason: "EXEC_ENDED" });
    expect((await server.ended(execId)).ended).toEqual(ended);
  });

  test("prints on: it is counted, does not show, and blocks nobody", async () => {
    const go = join(server.directory, "go");
    execFileSync("mkfifo", [go]);
    // More than any pipe holds.
    const { started, stdout } = await server.run(`(read -r _ < go; head -c 300000 /dev/zero; echo > done) & echo hi`);
    const execId = started?.execId ?? "";
    expect(stdout).toBe("hi\n");
    await writeFile(go, "\n");
    await until(async () => (await server.exec.getExec({ execId })).exec?.backgroundBytes === 300_000n);
    const { exec } = await server.exec.getExec({ execId });
    expect(exec).toMatchObject({ endCursor: 3n, stdoutBytes: 3n });
    expect(exec?.ended?.stdoutBytes).toBe(3n);
    expect((await server.attach(execId, undefined)).stdout).toBe("hi\n");
  });

  test("ends with the server", async () => {
    const own = new ExecServer({});
    onTestFinished(() => own.end());
    await own.start();
    const { stdout } = await own.run("sleep 1000 & setsid sleep 1000 & echo $! $(jobs -p)");
    const pids = stdout.trim().split(" ").map(Number);
    expect(pids.map(isAlive)).toEqual(pids.map(() => true));
    await own.served.stop();
    expect(pids.map(isAlive)).toEqual(pids.map(() => false));
  });
});

describe.concurrent("a timeout", () => {
  const parting = onSignal("TERM", "echo bye; kill -KILL $!; exit 5");

  test("delivers what was printed before it, and on the way out", async () => {
    const { ended, stdout } = await server.run(parting, { timeout: { seconds: 1n } });
    expect(stdout).toBe("ready\nbye\n");
    expect(ended).toMatchObject({ reason: EndReason.TIMED_OUT, exitCode: 5, stdoutBytes: 10n });
  });

  test("kills at once where there is no grace", async () => {
    const { ended, stdout } = await server.run(parting, { timeout: { seconds: 1n }, killGrace: {} });
    expect(stdout).toBe("ready\n");
    expect(ended).toMatchObject({ reason: EndReason.TIMED_OUT, signal: "SIGKILL" });
    expect(ended.exitCode).toBeUndefined();
  });

  test("kills after the grace whoever ignores it, with the whole tree", async () => {
    const { ended, stdout } = await server.run(`trap '' TERM; setsid sleep 1000 & echo $!; sleep 1000`, {
      timeout: { seconds: 1n },
      killGrace: { nanos: 100_000_000 },
    });
    expect(ended).toMatchObject({ reason: EndReason.TIMED_OUT, signal: "SIGKILL" });
    expect(isAlive(Number(stdout))).toBe(false);
  });

  test("ends what runs in the background when the command itself has not ended", async () => {
    const { ended, stdout } = await server.run("sleep 1000 & echo $!; sleep 1000", { timeout: { seconds: 1n } });
    expect(ended.reason).toBe(EndReason.TIMED_OUT);
    expect(isAlive(Number(stdout))).toBe(false);
  });

  test("of silence begins anew with each output", async () => {
    const { ended, stdout } = await server.run("for i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done; sleep 1000", {
      idleTimeout: { seconds: 1n, nanos: 500_000_000 },
    });
    expect(ended.reason).toBe(EndReason.IDLE_TIMED_OUT);
    expect(stdout).toBe("1\n2\n3\n4\n5\n6\n");
  });
});

describe("a command that is to end with its client", () => {
  const at = (nanos: number, seconds = 0n) => ({ disconnectGrace: { seconds, nanos } });
  const command = "echo hi; sleep 1000";

  /** Starts it, reads until something was printed, then hangs up. */
  async function cut(more: Request): Promise<string> {
    const execId = server.newId();
    await hangUpAfter((signal) => server.exec.exec({ execId, program: shell(command), ...more }, { signal }));
    return execId;
  }

  async function hangUpAfter(call: (signal: AbortSignal) => AsyncIterable<ExecResponse | AttachResponse>) {
    const caller = new AbortController();
    const refused = await refusal(
      (async () => {
        for await (const { event } of call(caller.signal)) if (event?.event.case === "output") caller.abort();
      })(),
    );
    expect(refused.code).toBe("CANCELED");
  }

  test("ends at once without a grace", async () => {
    const execId = await cut(at(0));
    expect((await server.ended(execId)).ended).toMatchObject({ reason: EndReason.DISCONNECTED, stdoutBytes: 3n });
  });

  test("ends after its grace", async () => {
    const execId = await cut(at(200_000_000));
    expect((await server.ended(execId)).ended.reason).toBe(EndReason.DISCONNECTED);
  });

  test("ends also where nobody ever read it", async () => {
    const { execId } = await server.spawn(command, at(0));
    expect((await server.ended(execId)).ended.reason).toBe(EndReason.DISCONNECTED);
  });

  test("goes on with whoever comes back in time, and while another reads", async () => {
    const execId = await cut({ ...at(0, 20n), stdin: {} });
    const again = told(server.exec.attach({ execId }));
    await until(async () => (await server.exec.getExec({ execId })).exec?.readers === 1);
    await hangUpAfter((signal) => server.exec.attach({ execId }, { signal }));
    await until(async () => (await server.exec.getExec({ execId })).exec?.readers === 1);
    await send(execId, "KILL");
    const { ended, stdout } = await again;
    expect(ended.reason).toBe(EndReason.KILLED);
    expect(stdout).toBe("hi\n");
  });

  test("does not end where no grace was asked for", async () => {
    const execId = await cut({});
    await until(async () => (await server.exec.getExec({ execId })).exec?.readers === 0);
    expect((await server.exec.getExec({ execId })).exec?.ended).toBeUndefined();
    await send(execId, "KILL");
    expect((await server.ended(execId)).ended.reason).toBe(EndReason.KILLED);
  });
});

describe("a limit", () => {
  const features = new Set<Feature>();
  beforeAll(async () => {
    for (const feature of (await server.workspace.getInfo({})).features) features.add(feature);
  });

  test("of output delivers exactly as many bytes, of both streams together", async () => {
    const { ended, output } = await server.run(`while :; do echo out; echo err >&2; done`, {
      output: { maxBytes: 12_345n },
    });
    expect(ended.reason).toBe(EndReason.OUTPUT_LIMIT);
    expect(output.reduce((sum, { data }) => sum + data.length, 0)).toBe(12_345);
    expect(ended.stdoutBytes + ended.stderrBytes).toBe(12_345n);
  });

  test("of output is not hit by a command that prints just as much", async () => {
    const { ended, stdout } = await server.run("printf 12345", { output: { maxBytes: 5n } });
    expect(ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 0 });
    expect(stdout).toBe("12345");
    const over = await server.run("printf 123456", { output: { maxBytes: 5n } });
    expect(over).toMatchObject({ stdout: "12345", ended: { reason: EndReason.OUTPUT_LIMIT } });
  });

  test("of memory ends who goes past it with OUT_OF_MEMORY", async ({ skip }) => {
    skip(!features.has(Feature.MEMORY_LIMIT), "no memory controller here");
    // tail keeps a line that does not end.
    const eat = "echo hungry; head -c 300000000 /dev/zero | tail -n 1 > /dev/null";
    const { ended, stdout } = await server.run(eat, { limits: { memoryBytes: 32n * 2n ** 20n } });
    expect(ended.reason).toBe(EndReason.OUT_OF_MEMORY);
    expect(stdout).toBe("hungry\n");
    const { ended: within } = await server.run("head -c 3000000 /dev/zero | tail -n 1 > /dev/null", {
      limits: { memoryBytes: 256n * 2n ** 20n },
    });
    expect(within).toMatchObject({ reason: EndReason.EXITED, exitCode: 0 });
  });

  test("of processes lets no more be there at once", async ({ skip }) => {
    skip(!features.has(Feature.PROCESS_LIMIT), "no pids controller here");
    await writeFile(
      join(server.directory, "many.mjs"),
      `import { spawn } from "node:child_process";
      let refused = 0;
      for (let i = 0; i < 60; i++) spawn("sleep", ["1000"], { stdio: "ignore" }).on("error", () => refused++);
      setTimeout(() => { console.log(refused); process.exit(); }, 100);`,
    );
    const { stdout, started } = await server.run(
      { program: argv(process.execPath, "many.mjs") },
      { limits: { processes: 40n } },
    );
    expect(Number(stdout)).toBeGreaterThan(20);
    const left = await send(started?.execId ?? "", "KILL");
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(40);
  });

  test("of CPU time ends who uses it up", async ({ skip }) => {
    skip(!features.has(Feature.CPU_TIME_LIMIT), "no shell here");
    const { ended } = await server.run("while :; do :; done", { limits: { cpuTime: { nanos: 1 } } });
    expect(ended.reason).toBe(EndReason.SIGNALED);
    expect(["SIGXCPU", "SIGKILL"]).toContain(ended.signal);
  });

  test("of open files is what the command sees", async ({ skip }) => {
    skip(!features.has(Feature.OPEN_FILES_LIMIT), "no shell here");
    expect((await server.run("ulimit -n; ulimit -Hn", { limits: { openFiles: 64n } })).stdout).toBe("64\n64\n");
  });
});

function commandOf(pid = 0): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
}
