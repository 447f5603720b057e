import { describe, expect, test } from "vitest";
import { CommandFailed } from "../../client/src/index.ts";
import type { Bench } from "./workspace-suite.ts";

/** What a command is, and what becomes of it. */
export function commandSuite(bench: Bench): void {
  describe("a command", () => {
    test("that fails has a result like one that succeeds", async () => {
      const result = await bench.workspace.executeCommand("echo out; echo err >&2; exit 3");
      expect(result).toMatchObject({
        command: "echo out; echo err >&2; exit 3",
        exitCode: 3,
        stdout: "out\n",
        stderr: "err\n",
        timeoutOccurred: false,
        reason: "EXITED",
        signal: undefined,
        truncated: undefined,
      });
      expect(result.durationMs).toBeGreaterThan(0);
      expect(Buffer.from(result.stdoutBytes).toString()).toBe("out\n");
    });

    test("that is a line is run by bash", async () => {
      const { stdout } = await bench.workspace.executeCommand('[[ abc == a* ]] && echo "${BASH_VERSION:+bash}"');
      expect(stdout).toBe("bash\n");
    });

    test("that is a list is run as it is", async () => {
      const odd = ["two words", "$HOME", "it's", "*", "", 'a"b', "line\nbreak", "é"];
      const { stdout, command } = await bench.workspace.executeCommand(["printf", "%s|", ...odd]);
      expect(stdout).toBe(odd.map((each) => `${each}|`).join(""));
      expect(command).toContain("'two words' '$HOME' 'it'\\''s'");
    });

    test("of 300 KB arrives whole", async () => {
      const text = "0123456789abcdef".repeat(20_000);
      const { stdout, exitCode } = await bench.workspace.executeCommand(`cat <<'END' | wc -c\n${text}\nEND\n`);
      expect({ stdout: stdout.trim(), exitCode }).toEqual({ stdout: "320001", exitCode: 0 });
    });

    test("runs in the workspace's directory, or where cwd leads from there", async () => {
      const { workspace } = bench;
      const pwd = async (cwd?: string) => (await workspace.executeCommand("pwd -P", { cwd })).stdout.trim();
      const home = await pwd();
      await workspace.executeCommand("mkdir -p sub/deep");
      expect(await pwd("sub/deep")).toBe(`${home}/sub/deep`);
      expect(await pwd("sub/..")).toBe(home);
      expect(await pwd("/")).toBe("/");
    });

    test("has the variables it was given, over those of the server", async () => {
      const { workspace } = bench;
      const env = { GREETING: "grüß dich", EMPTY: "", HOME: undefined };
      const script = 'echo "$GREETING/${EMPTY-unset}/${HOME-unset}/${PATH:+path}"';
      expect((await workspace.executeCommand(script, { env })).stdout).toBe("grüß dich//unset/path\n");
      const clean = await workspace.executeCommand(["env"], { env: { ONLY: "this" }, cleanEnv: true });
      const names = clean.stdout.split("\n").flatMap((line) => line.split("=")[0] || []);
      expect(names.filter((name) => !/^(ONLY|PATH|PWD|YONDER_EXEC_MARK)$/.test(name))).toEqual([]);
      expect(names).toContain("ONLY");
    });

    test("that is checked rejects unless it exits with 0, and the error has the result", async () => {
      const { workspace } = bench;
      await workspace.executeCommand("true", { check: true });
      const error = await failure(workspace.executeCommand("echo why >&2; exit 7", { check: true }));
      expect(error).toBeInstanceOf(CommandFailed);
      expect(error).toMatchObject({
        reason: "COMMAND_FAILED",
        message: "Command failed with exit code 7: echo why >&2; exit 7\nwhy",
        result: { exitCode: 7, stderr: "why\n" },
      });
      const late = await failure(workspace.executeCommand("sleep 30", { check: true, timeoutMs: 100 }));
      expect(late).toMatchObject({ result: { timeoutOccurred: true } });
    });

    test("that leaves something in the background is done when it is done itself", async () => {
      const { workspace } = bench;
      const { stdout, exitCode, execId } = await workspace.executeCommand("sleep 300 & echo hi");
      expect({ stdout, exitCode }).toEqual({ stdout: "hi\n", exitCode: 0 });
      const handle = await workspace.attach(execId);
      expect(await handle.kill("SIGKILL")).toBe(1);
    });

    test("with the same id and request runs once, however often it is sent", async () => {
      const { workspace } = bench;
      const run = () => workspace.executeCommand("echo ran >> runs; cat runs", { execId: `once-${run.name}` });
      const results = await Promise.all(Array.from({ length: 20 }, run));
      expect(new Set(results.map(({ stdout }) => stdout))).toEqual(new Set(["ran\n"]));
      expect((await run()).stdout).toBe("ran\n");
    });
  });
}

export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`should have failed, and resolved to ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}
