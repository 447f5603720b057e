import { readFileSync } from "node:fs";
import { EndReason, SignalTarget } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { execServer, fixture, refusal, textOf } from "../helpers/exec-server.ts";
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
    expect(await server.send(execId, asked, PROCESS)).toBe(1);
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
    expect(await server.send(execId, "USR2", PROCESS)).toBe(1);
    expect(await printed(4)).toEqual(["leader 1."]);
    expect(await server.send(execId, "USR2", GROUP)).toBe(2);
    expect(await printed(6)).toEqual(["leader 1.", "leader 2.", "member 1."]);
    expect(await server.send(execId, "USR2", SignalTarget.UNSPECIFIED)).toBe(3);
    expect(await printed(9)).toEqual(["leader 1.", "leader 2.", "leader 3.", "member 1.", "member 2.", "stray 1."]);
    await server.send(execId, "KILL");
    expect((await server.ended(execId)).ended).toMatchObject({ reason: EndReason.KILLED, signal: "SIGKILL" });
  });

  test("with a request id is sent once, however often the call comes, and answered alike", async () => {
    const { execId } = await server.spawn(`exec ${fixture("count-signals.mjs", "got", "SIGUSR2")}`);
    await server.printed(execId, "ready\n");
    const id = `${execId}-a`;
    const first = await server.send(execId, "USR2", PROCESS, id);
    await server.printed(execId, "got 1.\n");
    const repeats = await Promise.all(Array.from({ length: 20 }, () => server.send(execId, "SIGUSR2", PROCESS, id)));
    expect(new Set([first, ...repeats])).toEqual(new Set([1]));

    // Whatever the repeats had sent would have come before this one.
    await server.send(execId, "USR2", PROCESS, `${execId}-b`);
    expect(await server.printed(execId, "got 2.\n")).toBe("ready\ngot 1.\ngot 2.\n");
    const together = await Promise.all(
      Array.from({ length: 20 }, () => server.send(execId, "USR2", PROCESS, `${execId}-c`)),
    );
    expect(new Set(together)).toEqual(new Set([1]));
    await server.printed(execId, "got 3.\n");
    await server.send(execId, "USR2", PROCESS);
    await server.printed(execId, "got 4.\n");
    await server.send(execId, "KILL");
    expect((await server.ended(execId)).stdoutBytes).toBe(6n + 4n * 7n);
  });

  test("with the request id of another request is refused and not sent", async () => {
    const { execId } = await server.spawn("sleep 1000");
    const { execId: other } = await server.spawn("sleep 1000");
    const id = `${execId}-a`;
    await server.send(execId, "CONT", PROCESS, id);
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
      await server.send(each, "KILL");
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
      await server.send(execId, signal ?? "", PROCESS);
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
    await server.send(execId, "TERM", PROCESS);
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

function commandOf(pid = 0): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
}
