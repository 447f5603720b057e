import { EndReason } from "@yonder/proto";
import type { AttachResponse, ExecResponse } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { execServer, refusal, shell, told } from "../helpers/exec-server.ts";
import type { Request } from "../helpers/exec-server.ts";
import { isAlive } from "../helpers/serve.ts";
import { until } from "../helpers/until.ts";

const server = execServer();

/**
 * Does something at each signal of this name, else nothing for ever, and says when it is ready. Beside the shell there is
 * one process, `$!`, that takes no notice of the signal.
 */
function onSignal(name: string, act: string): string {
  return `trap '' ${name}; sleep 1000 & trap '${act}' ${name}; echo ready; while :; do wait $!; done`;
}

describe.concurrent("a timeout", () => {
  const parting = onSignal("TERM", "echo bye; kill -KILL $!; exit 5");

  test("delivers what was printed before it, and on the way out", async () => {
    const { ended, stdout } = await server.run(parting, { timeout: { seconds: 3n } });
    expect(stdout).toBe("ready\nbye\n");
    expect(ended).toMatchObject({ reason: EndReason.TIMED_OUT, exitCode: 5, stdoutBytes: 10n });
  });

  test("kills at once where there is no grace", async () => {
    const { ended, stdout } = await server.run(parting, { timeout: { seconds: 3n }, killGrace: {} });
    expect(stdout).toBe("ready\n");
    expect(ended).toMatchObject({ reason: EndReason.TIMED_OUT, signal: "SIGKILL" });
    expect(ended.exitCode).toBeUndefined();
  });

  test("kills after the grace whoever ignores it, with the whole tree", async () => {
    const { ended, stdout } = await server.run(`trap '' TERM; setsid sleep 1000 & echo $!; sleep 1000`, {
      timeout: { seconds: 3n },
      killGrace: { nanos: 100_000_000 },
    });
    expect(ended).toMatchObject({ reason: EndReason.TIMED_OUT, signal: "SIGKILL" });
    expect(isAlive(Number(stdout))).toBe(false);
  });

  test("ends what runs in the background when the command itself has not ended", async () => {
    const { ended, stdout } = await server.run("sleep 1000 & echo $!; sleep 1000", { timeout: { seconds: 3n } });
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
    await server.send(execId, "KILL");
    const { ended, stdout } = await again;
    expect(ended.reason).toBe(EndReason.KILLED);
    expect(stdout).toBe("hi\n");
  });

  test("does not end where no grace was asked for", async () => {
    const execId = await cut({});
    await until(async () => (await server.exec.getExec({ execId })).exec?.readers === 0);
    expect((await server.exec.getExec({ execId })).exec?.ended).toBeUndefined();
    await server.send(execId, "KILL");
    expect((await server.ended(execId)).ended.reason).toBe(EndReason.KILLED);
  });
});
