import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LeftoverMark } from "../../../../server/src/exec/launcher.ts";
import { readProcStat } from "../../../../server/src/exec/process/proc-stat.ts";
import { createProcessTable } from "../../../../server/src/exec/process/process-table.ts";
import { createProcessTree } from "../../../../server/src/exec/process/process-tree.ts";
import { useLauncher, withArgument } from "../../../fixtures/processes/launching.ts";
import { until } from "../../../helpers/until.ts";

const { SIGKILL, SIGTERM, SIGUSR1, SIGWINCH } = constants.signals;

/** An argument that no other process has, to find by it what a test has started. */
let tokens = 0;
const token = () => `${process.pid}${900_000 + tokens++}`;

describe.each([true, false])("a tree, with control groups: %s", (controlGroups) => {
  const launching = useLauncher(() => ({ controlGroups }));
  const { launch } = launching;
  const grouped = () => launching.launcher.features.has("CONTROL_GROUP");

  it("ends with SIGTERM where that is enough", async () => {
    const { process, ended, printed } = await launch("trap 'echo bye; exit 4' TERM; echo up; sleep 300 & wait");
    await printed("up");
    await process.endTree(10_000);
    expect(await ended).toMatchObject({ exitCode: 4, stdout: "up\nbye\n" });
  });

  it("is killed once its grace is over", async () => {
    const { process, printed } = await launch("trap '' TERM; echo up; while :; do sleep 300; done");
    await printed("up");
    const begin = performance.now();
    await process.endTree(100);
    expect(performance.now() - begin).toBeGreaterThan(95);
    expect(await process.exited).toMatchObject({ signal: "SIGKILL" });
  });

  it("is killed at once without a grace", async () => {
    const { process, printed, ended } = await launch("trap 'echo bye; exit' TERM; echo up; sleep 300 & wait");
    await printed("up");
    await process.endTree(0);
    expect(await ended).toMatchObject({ signal: "SIGKILL", stdout: "up\n" });
  });

  it("has its grace shortened by a second end", async () => {
    const { process, printed } = await launch("trap '' TERM; echo up; while :; do sleep 300; done");
    await printed("up");
    const first = process.endTree(600_000);
    await process.endTree(10);
    await first;
    expect(await process.exited).toMatchObject({ signal: "SIGKILL" });
  });

  it("ends where nothing is left of it", async () => {
    const { process } = await launch("true");
    await process.exited;
    await process.endTree(600_000);
    expect(await process.signal(SIGTERM, "tree")).toBe(0);
    expect(await process.signal(SIGTERM, "group")).toBe(0);
    expect(await process.signal(SIGTERM, "process")).toBe(0);
  });

  it.each([
    ["in the background", (sleep: string) => `${sleep} & ${sleep} & echo up; wait`],
    ["in a session of their own", (sleep: string) => `setsid ${sleep} & setsid setsid ${sleep} & echo up; wait`],
    ["whose parents are gone", (sleep: string) => `(setsid sh -c '${sleep} & ${sleep} &' &); echo up`],
    ["that a shell disowned", (sleep: string) => `set -m; ${sleep} & disown; (nohup ${sleep} >&2 &); echo up`],
    [
      "that are stopped",
      (sleep: string) => `stopped() { ${sleep} & until grep -q sleep /proc/$!/comm; do :; done; kill -STOP $!; }
        stopped; stopped; echo up; wait`,
    ],
    ["without an environment in its session", (sleep: string) => `(env -i ${sleep} & env -i ${sleep} &); echo up`],
  ])("takes along processes %s", async (_, line) => {
    const seconds = token();
    const { process, printed } = await launch(line(`sleep ${seconds}`));
    await printed("up");
    await until(() => withArgument(seconds).filter((command) => command.startsWith("sleep")).length === 2);
    await process.endTree(50);
    expect(withArgument(seconds)).toEqual([]);
  });

  it("takes along what has neither environment, session nor parents, where there is a control group", async () => {
    const seconds = token();
    const { process, printed } = await launch(`(setsid env -i sleep ${seconds} &); echo up`);
    await printed("up");
    await until(() => withArgument(seconds).some((command) => command.startsWith("sleep")));
    await process.exited;
    await process.endTree(50);
    const left = withArgument(seconds);
    expect(left).toHaveLength(grouped() ? 0 : 1);
    // Nothing tells any more whose that one is.
    if (left.length > 0) spawn("pkill", ["-KILL", "-fx", `sleep ${seconds}`]);
    await until(() => withArgument(seconds).length === 0);
  });

  it("ends although it forks and leaves its session again and again", async () => {
    const script = join(launching.directory, `comet-${token()}`);
    writeFileSync(script, `setsid bash ${script} >/dev/null 2>&1 &\n`);
    const { process } = await launch(`bash ${script}; sleep 0.1; echo up`);
    await process.exited;
    await process.endTree(20);
    expect(withArgument(script)).toEqual([]);
  });

  it("gets a signal as a tree, as a group and as one process", async () => {
    const trap = `trap 'echo bash' USR1`;
    const child = `trap "echo child" USR1; echo ready; while :; do sleep 0.01; done`;
    const { process, printed, stdout } = await launch(
      `${trap}; bash -c '${child}' & setsid bash -c '${child}' & echo ready; while :; do sleep 0.01; done`,
    );
    await printed(/(ready\n[^]*){3}/);
    const got = (text: string) =>
      stdout()
        .split("\n")
        .filter((line) => line.startsWith(text)).length;
    // The shells run sleeps beside, which do not survive it.
    await process.signal(SIGWINCH, "tree");
    expect(await process.signal(SIGUSR1, "process")).toBe(1);
    await until(() => got("bash") === 1);
    expect(got("child")).toBe(0);
    expect(await process.signal(SIGUSR1, "group")).toBeGreaterThanOrEqual(2);
    await until(() => got("bash") === 2 && got("child") === 1);
    expect(await process.signal(SIGUSR1, "tree")).toBeGreaterThanOrEqual(3);
    await until(() => got("bash") === 3 && got("child") === 3);
  });

  it("gets a signal also after its first process is gone", async () => {
    const { process, ended } = await launch("sleep 300 & echo hi");
    await process.exited;
    expect(await process.signal(SIGTERM, "tree")).toBe(1);
    expect(await ended).toMatchObject({ exitCode: 0, stdout: "hi\n" });
  });

  it("that a real-time signal ended is not taken for a success", async () => {
    for (const target of ["process", "group", "tree"] as const) {
      const { process } = await launch({ args: ["sleep", "300"] });
      await process.signal(constants.signals.SIGSYS + 7, target);
      expect(await process.exited).toEqual({ exitCode: undefined, signal: "SIGRTMIN+4" });
    }
  });

  it("that caught a real-time signal ends as it likes", async () => {
    const { process, printed } = await launch("trap 'exit 0' RTMIN+4; echo up; while :; do sleep 0.01; done");
    await printed("up");
    await process.signal(constants.signals.SIGSYS + 7, "process");
    expect(await process.exited).toEqual({ exitCode: 0, signal: undefined });
  });
});

describe("a fork storm", () => {
  const launching = useLauncher();

  it("ends, where the number of processes has a limit", async ({ skip }) => {
    if (!launching.launcher.features.has("PROCESS_LIMIT")) skip("no control group with the pids controller");
    const { process, stderr } = await launching.launch(":(){ :|:& };:", { limits: { processes: 100 } });
    await until(() => stderr().includes("fork"));
    await process.endTree(50);
  });
});

describe("what an earlier server left", () => {
  const launching = useLauncher();
  const { launch } = launching;

  it("is ended by its mark, its pid and start time, and its session", async () => {
    const seconds = token();
    const { process, printed } = await launch(
      `sleep ${seconds} & setsid sleep ${seconds} & env -i sleep ${seconds} & echo up; wait`,
    );
    await printed("up");
    await until(() => withArgument(seconds).filter((command) => command.startsWith("sleep")).length === 3);
    expect(await launching.launcher.endLeftovers([process.leftoverMark], 2_000)).toBeGreaterThanOrEqual(3);
    await process.exited;
    expect(withArgument(seconds)).toEqual([]);
  });

  it("is ended also where only its control group tells, once that server is gone", async ({ skip }) => {
    if (!launching.launcher.features.has("CONTROL_GROUP")) skip("no control group");
    const seconds = token();
    const line = `sleep ${seconds} & (setsid env -i sleep ${seconds} &); sleep 0.1; echo up; wait`;
    const script = new URL("../../../fixtures/processes/launch-and-die.ts", import.meta.url).pathname;
    const args = [
      "--experimental-strip-types",
      "--conditions=@yonder/source",
      script,
      join(launching.runtimeDirectory, "other"),
      line,
      token(),
    ];
    const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [text] = await Promise.all([server.stdout.setEncoding("utf8").toArray(), once(server, "exit")]);
    await until(() => withArgument(seconds).filter((command) => command.startsWith("sleep")).length === 2);
    const mark = JSON.parse(text.join("")) as LeftoverMark;
    expect(await launching.launcher.endLeftovers([mark], 2_000)).toBeGreaterThanOrEqual(2);
    expect(withArgument(seconds)).toEqual([]);
  });

  it("is left alone where it is of another boot", async () => {
    const { process } = await launch("sleep 300");
    const mark = { ...process.leftoverMark, bootId: "another" };
    expect(await launching.launcher.endLeftovers([mark], 2_000)).toBe(0);
    expect(await launching.launcher.endLeftovers([{ ...mark, bootId: undefined }], 2_000)).toBe(0);
    expect(readProcStat(process.pid)).toBeDefined();
  });
});

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65534;
const endTree = new URL("../../../fixtures/processes/end-tree.ts", import.meta.url).pathname;

function mayRead(path: string, uid: number): boolean {
  return spawnSync("test", ["-r", path], { uid, gid: uid }).status === 0;
}

describe("a process of somebody else", () => {
  const bystander = async (): Promise<{ pid: number; startTicks: number }> => {
    const child = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
    onTestFinished(async () => {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    });
    await once(child, "spawn");
    return { pid: child.pid ?? 0, startTicks: readProcStat(child.pid ?? 0)?.startTicks ?? 0 };
  };
  const treeOf = (root: { pid: number; startTicks: number }, group: readonly number[] = []) =>
    createProcessTree({
      table: createProcessTable(),
      roots: [root],
      marks: [],
      groups: [],
      groupPids: () => group,
      sessions: () => [root.pid],
      hangsUp: false,
    });
  const stateOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.[0];

  it("is never signalled although it has the pid of one that is gone", async () => {
    const { pid, startTicks } = await bystander();
    const tree = treeOf({ pid, startTicks: startTicks - 1 });
    expect(await tree.signal(SIGKILL)).toBe(0);
    await tree.end(10);
    expect(stateOf(pid)).toMatch(/[SRD]/);
  });

  it("is signalled by the same means where it is the one that is meant", async () => {
    const { pid, startTicks } = await bystander();
    await treeOf({ pid, startTicks }).end(1000);
    expect(readProcStat(pid)?.state ?? "gone").toMatch(/Z|gone/);
  });

  it.runIf(isRoot && mayRead(endTree, NOBODY))("that may not be signalled is not waited for", async () => {
    const { pid } = await bystander();
    const args = ["--experimental-strip-types", "--conditions=@yonder/source", endTree, String(pid)];
    const child = spawn(process.execPath, args, { uid: NOBODY, gid: NOBODY, stdio: ["ignore", "pipe", "inherit"] });
    expect((await child.stdout.setEncoding("utf8").toArray()).join("")).toBe("signalled 0, done");
    expect(stateOf(pid)).toMatch(/[SRD]/);
  });

  it("is never the server itself, what started it, or the first process", async () => {
    const self = { pid: process.pid, startTicks: readProcStat(process.pid)?.startTicks ?? 0 };
    const tree = treeOf(self, [1, process.ppid, process.pid]);
    expect(await tree.signal(SIGWINCH)).toBe(0);
  });
});
