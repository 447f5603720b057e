import { describe, expect, test } from "vitest";
import { linesOf, untilPrinted } from "./spawn-suite.ts";
import type { Bench } from "./workspace-suite.ts";

/** Commands that were started before. */
export function attachSuite(bench: Bench): void {
  describe("a command that was started before", () => {
    test("is found by its id, running and ended, with all that it printed", async () => {
      const { workspace } = bench;
      const execId = `found:${crypto.randomUUID()}`;
      const first = await workspace.spawn("echo one; read line; echo two", { execId });
      expect(first.execId).toBe(execId);
      await untilPrinted(first.events(), 4);
      const second = await workspace.attach(execId);
      const rest = await workspace.attach(execId, { cursor: 4 });
      const reading = linesOf(rest.lines());
      await second.stdin.end("\n");
      expect(await linesOf(second.lines())).toEqual(["one", "two"]);
      expect(await reading).toEqual(["two"]);
      const third = await workspace.attach(execId);
      expect(await third.wait()).toEqual(await first.wait());
      expect(await linesOf(third.lines())).toEqual(["one", "two"]);
    });

    test("is joined by the same id and request, with its output from the first byte", async () => {
      const { workspace } = bench;
      const execId = crypto.randomUUID();
      const script = "echo begun; while [ ! -e go ]; do sleep 0.01; done; echo done";
      const first = await workspace.spawn(script, { execId, stdin: false });
      await untilPrinted(first.events(), 6);
      const joined = workspace.executeCommand(script, { execId, timeoutMs: 0 });
      await workspace.executeCommand("touch go");
      expect((await joined).stdout).toBe("begun\ndone\n");
      await workspace.executeCommand("rm go");
    });

    test("is listed, by its labels and state, newest first", async () => {
      const { workspace } = bench;
      const batch = crypto.randomUUID();
      const ids: string[] = [];
      for (const role of ["one", "two", "three"]) {
        const { execId } = await workspace.executeCommand(`echo ${role}`, { labels: { batch, role } });
        ids.unshift(execId);
      }
      const running = await workspace.spawn(["sleep", "300"], { labels: { batch, role: "dev" } });
      const labelled = await workspace.execs({ labels: { batch } });
      expect(labelled.map(({ execId }) => execId)).toEqual([running.execId, ...ids]);
      expect(labelled.at(-1)).toMatchObject({
        command: "echo one",
        labels: { batch, role: "one" },
        state: "ended",
        end: { reason: "EXITED", exitCode: 0 },
        stdoutBytes: 4,
        endCursor: 4,
      });
      const [alone, ...none] = await workspace.execs({ labels: { batch }, state: "running" });
      expect(none).toEqual([]);
      expect(alone).toMatchObject({ command: ["sleep", "300"], state: "running", pid: running.pid, end: undefined });
      await running.kill("SIGKILL");
      await running.wait();
    });
  });
}
