import { describe, expect, test } from "vitest";
import { AbortError } from "../../client/src/index.ts";
import { failure } from "./command-suite.ts";
import type { Bench } from "./workspace-suite.ts";

/** Succeeds if the process whose id is in `child` is gone; one that waits for its parent to notice is. */
const isGone = 'pid=$(cat child) && ! grep -qs "^State:.[^Z]" /proc/$pid/status';

/** How commands end, and how they are ended. */
export function endSuite(bench: Bench): void {
  describe("the end", () => {
    test("by a timeout is told with what was printed before, and ends what the command started", async () => {
      const { workspace } = bench;
      const script = "echo before; echo err >&2; sleep 300 & echo $! > child; sleep 300; echo never";
      const result = await workspace.executeCommand(script, { timeoutMs: 1_500 });
      expect(result).toMatchObject({
        exitCode: -1,
        timeoutOccurred: true,
        reason: "TIMED_OUT",
        stdout: "before\n",
        stderr: "err\n",
      });
      expect((await workspace.executeCommand(isGone)).exitCode).toBe(0);
    });

    test("by a timeout of under a second, with a fraction, is one", async () => {
      const result = await bench.workspace.executeCommand("sleep 30", { timeoutMs: 150.5 });
      expect(result).toMatchObject({ exitCode: -1, timeoutOccurred: true, reason: "TIMED_OUT" });
    });

    test("by silence is not the same as by a timeout", async () => {
      const script = "for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; sleep 300";
      const result = await bench.workspace.executeCommand(script, { idleTimeoutMs: 1_000 });
      expect(result).toMatchObject({
        exitCode: -1,
        timeoutOccurred: true,
        reason: "IDLE_TIMED_OUT",
        stdout: "1\n2\n3\n4\n5\n",
      });
    });

    test("by a signal is its negative number, and SIGHUP is no timeout", async () => {
      const { workspace } = bench;
      expect(await workspace.executeCommand("kill -KILL $$")).toMatchObject({
        exitCode: -9,
        reason: "SIGNALED",
        signal: "SIGKILL",
        timeoutOccurred: false,
      });
      expect(await workspace.executeCommand("kill -HUP $$")).toMatchObject({
        exitCode: -1,
        reason: "SIGNALED",
        signal: "SIGHUP",
        timeoutOccurred: false,
      });
    });

    test("by too much output delivers what was allowed", async () => {
      const result = await bench.workspace.executeCommand("yes", { outputLimitBytes: 100_000 });
      expect(result.reason).toBe("OUTPUT_LIMIT");
      expect(result.exitCode).not.toBe(0);
      expect(result.stdout.length).toBeGreaterThanOrEqual(100_000);
    });

    test("by abort rejects with what was printed, and nothing is left running", async () => {
      const { workspace } = bench;
      const controller = new AbortController();
      const running = workspace.executeCommand("sleep 300 & echo $! > child; echo partial; sleep 300", {
        signal: controller.signal,
        onStdout: () => controller.abort(new Error("changed my mind")),
      });
      const error = await failure(running);
      expect(error).toBeInstanceOf(AbortError);
      expect(error).toMatchObject({
        name: "AbortError",
        cause: { message: "changed my mind" },
        result: { stdout: "partial\n", reason: "KILLED", exitCode: -15 },
      });
      expect((await workspace.executeCommand(isGone)).exitCode).toBe(0);
    });

    test("by abort gives a command the time to clean up, and no more", async () => {
      const { workspace } = bench;
      const ended = async (script: string, killGraceMs: number) => {
        const controller = new AbortController();
        const onStdout = () => controller.abort();
        const call = workspace.executeCommand(script, { signal: controller.signal, onStdout, killGraceMs });
        return ((await failure(call)) as AbortError).result;
      };
      const polite = await ended("trap 'echo cleaned; exit 4' TERM; echo ready; while :; do sleep 0.02; done", 10_000);
      expect(polite).toMatchObject({ stdout: "ready\ncleaned\n", exitCode: 4 });
      const stubborn = await ended("trap '' TERM; echo ready; while :; do sleep 0.02; done", 200);
      expect(stubborn).toMatchObject({ stdout: "ready\n", exitCode: -9, reason: "KILLED" });
    });

    test("by a signal that was aborted before starts nothing", async () => {
      const { workspace } = bench;
      const execId = `never-${crypto.randomUUID()}`;
      const signal = AbortSignal.abort();
      expect(await failure(workspace.executeCommand("true", { execId, signal }))).toMatchObject({ name: "AbortError" });
      expect(await failure(workspace.spawn("true", { execId, signal }))).toMatchObject({ name: "AbortError" });
      expect(await failure(workspace.attach(execId))).toMatchObject({ reason: "EXEC_NOT_FOUND" });
    });
  });
}
