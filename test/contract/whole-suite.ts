import { describe, expect, test } from "vitest";
import type { Bench } from "./workspace-suite.ts";

/** The workspace as a whole. */
export function wholeSuite(bench: Bench): void {
  describe("the workspace", () => {
    test("is alive, and tells what it is and what it can", async () => {
      const { workspace } = bench;
      expect(await workspace.alive()).toBe(true);
      const info = await workspace.getServerInfo();
      expect(info.workspaceId).toMatch(/./);
      expect(info.instanceId).toMatch(/./);
      expect(info.version).toMatch(/^\d+\.\d+\.\d+/);
      expect(info.limits.maxRunningExecs).toBeGreaterThan(0);
      expect(info.limits.heartbeatIntervalMs).toBeGreaterThan(0);
      expect(workspace.workingDir).toBe((await workspace.executeCommand("pwd -P")).stdout.trim());
    });

    test("looks at its machine where it is asked to, and only then", async () => {
      const { workspace } = bench;
      const plain = await workspace.getServerInfo();
      expect(plain.diagnosis).toBeUndefined();
      expect(plain.currentTime).toBeInstanceOf(Date);
      const { diagnosis } = await workspace.getServerInfo({ diagnose: true });
      expect(diagnosis?.git).toEqual({ version: expect.stringMatching(/^\d+\.\d/) as string, problem: "" });
      expect(diagnosis?.workingDisk).toMatchObject({ directory: plain.workingDirectory, problem: "" });
      expect(diagnosis?.workingDisk.availableBytes).toBeGreaterThan(0);
    });

    test("goes on after its connections were dropped, with what runs too", async () => {
      const { workspace } = bench;
      let dropped = 0;
      const onStdout = () => {
        if (dropped++ === 0) workspace.resetClient();
      };
      const script = "for i in 1 2 3 4 5; do echo $i; sleep 0.05; done";
      expect((await workspace.executeCommand(script, { onStdout })).stdout).toBe("1\n2\n3\n4\n5\n");
      expect(await workspace.alive()).toBe(true);
    });

    test("is plain data in JSON, without a key", async () => {
      const json = JSON.stringify(bench.workspace);
      expect(JSON.parse(json)).toMatchObject({ kind: bench.workspace.kind, workingDir: bench.workspace.workingDir });
      expect(json).not.toMatch(/key/i);
    });

    test("runs many commands at once", async () => {
      const results = await Promise.all(
        Array.from({ length: 60 }, (_, index) => bench.workspace.executeCommand(`echo ${index}`)),
      );
      expect(results.map(({ stdout }) => stdout)).toEqual(results.map((_, index) => `${index}\n`));
    });
  });
}
