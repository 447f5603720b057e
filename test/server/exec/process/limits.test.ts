import { describe, expect, it } from "vitest";
import { useLauncher } from "../../../fixtures/processes/launching.ts";
import { until } from "../../../helpers/until.ts";

const MIB = 1024 * 1024;

describe("limits", () => {
  const launching = useLauncher();
  const { launch, run } = launching;
  const has = (feature: "MEMORY_LIMIT" | "PROCESS_LIMIT") => launching.launcher.features.has(feature);

  it("of memory end a process, and that is told", async ({ skip }) => {
    if (!has("MEMORY_LIMIT")) skip("no control group with the memory controller");
    const { process } = await launch("x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo $x", {
      limits: { memoryBytes: 30 * MIB },
    });
    expect(await process.exited).toMatchObject({ signal: "SIGKILL" });
    expect(process.outOfMemory()).toBe(true);
    process.release();
    expect(process.outOfMemory()).toBe(true);
  });

  it("of memory hold for the tree, and its end is told also where the shell lives on", async ({ skip }) => {
    if (!has("MEMORY_LIMIT")) skip("no control group with the memory controller");
    const hog = "head -c 100000000 /dev/zero | sort >/dev/null";
    const { process, ended } = await launch(`setsid bash -c '${hog}'; echo after`, {
      limits: { memoryBytes: 30 * MIB },
    });
    expect((await ended).stdout).toBe("after\n");
    expect(process.outOfMemory()).toBe(true);
  });

  it("of memory let be what keeps within them", async ({ skip }) => {
    if (!has("MEMORY_LIMIT")) skip("no control group with the memory controller");
    const { process, ended } = await launch("echo fine", { limits: { memoryBytes: 200 * MIB } });
    expect(await ended).toMatchObject({ exitCode: 0, stdout: "fine\n" });
    expect(process.outOfMemory()).toBe(false);
  });

  it("of processes hold for the tree", async ({ skip }) => {
    if (!has("PROCESS_LIMIT")) skip("no control group with the pids controller");
    const line = "for i in 1 2 3 4 5 6 7 8; do setsid sleep 300 & done; wait";
    const { stderr } = await launch(line, { limits: { processes: 4 } });
    await until(() => stderr().includes("fork"));
  });

  it("of one process let one run", async ({ skip }) => {
    if (!has("PROCESS_LIMIT")) skip("no control group with the pids controller");
    expect(await run("echo one", { limits: { processes: 1 } })).toMatchObject({ exitCode: 0, stdout: "one\n" });
  });

  it("of CPU time end a process with SIGXCPU, and a second later with SIGKILL", async () => {
    expect((await run("ulimit -S -t; ulimit -H -t", { limits: { cpuTimeSeconds: 7 } })).stdout).toBe("7\n8\n");
    expect(await run("while :; do :; done", { limits: { cpuTimeSeconds: 1 } })).toMatchObject({ signal: "SIGXCPU" });
  });

  it("of open files hold for each process", async () => {
    expect((await run({ args: ["bash", "-c", "ulimit -n"] }, { limits: { openFiles: 33 } })).stdout).toBe("33\n");
    // More than the server itself may have cannot be given, and need not be refused.
    expect((await run("ulimit -n", { limits: { openFiles: 2 ** 40 } })).exitCode).toBe(0);
  });
});

describe("limits without control groups", () => {
  const launching = useLauncher(() => ({ controlGroups: false }));

  it.each([
    ["memory_bytes", { memoryBytes: MIB }],
    ["processes", { processes: 10 }],
  ])("of %s are refused", async (field, limits) => {
    await expect(launching.run("true", { limits })).rejects.toMatchObject({
      name: "Unsupported",
      reason: "LIMIT_UNSUPPORTED",
      context: { subject: `limits.${field}` },
    });
    expect([...launching.launcher.features]).toEqual(expect.arrayContaining(["CPU_TIME_LIMIT", "OPEN_FILES_LIMIT"]));
  });
});
