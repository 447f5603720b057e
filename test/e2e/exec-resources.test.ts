import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EndReason, Feature } from "@yonder/proto";
import { beforeAll, describe, expect, test } from "vitest";
import { argv, execServer } from "../helpers/exec-server.ts";

const server = execServer();

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
    const left = await server.send(started?.execId ?? "", "KILL");
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
