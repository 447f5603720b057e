import { describe, expect, it } from "vitest";
import {
  isGone,
  listProcesses,
  parseProcStat,
  readEnvironmentVariable,
  readProcStat,
  readSameProcess,
} from "../../../../server/src/exec/process/proc-stat.ts";

const after = (state: string, threads = 1) =>
  `${state} 10 20 30 34816 40 4194304 0 0 0 0 0 0 0 0 20 0 ${threads} 0 98765 0 0`;

describe("a process's stat", () => {
  it("is read whatever its program is called", () => {
    expect(parseProcStat(7, `7 (a) b (c) S 1) ${after("R")}\n`)).toEqual({
      pid: 7,
      state: "R",
      parent: 10,
      group: 20,
      session: 30,
      terminalGroup: 40,
      isKernel: false,
      threads: 1,
      startTicks: 98765,
    });
  });

  it("is none where it is cut off", () => {
    expect(parseProcStat(7, "")).toBeUndefined();
    expect(parseProcStat(7, "7 (a) S 1 2 3")).toBeUndefined();
  });

  it("tells a zombie from a process whose first thread has ended", () => {
    const stat = (state: string, threads: number) => parseProcStat(7, `7 (a) ${after(state, threads)}`);
    expect([stat("Z", 1), stat("X", 0), stat("Z", 3), stat("S", 1)].map((stat) => stat && isGone(stat))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it("is that of this process, and of no other start time", () => {
    const own = readProcStat(process.pid);
    expect(own).toMatchObject({ pid: process.pid, parent: process.ppid });
    expect(readSameProcess(process.pid, own?.startTicks ?? 0)).toBeDefined();
    expect(readSameProcess(process.pid, (own?.startTicks ?? 0) + 1)).toBeUndefined();
    expect(readProcStat(2 ** 30)).toBeUndefined();
  });

  it("lists the newest process first", () => {
    const pids = listProcesses() ?? [];
    expect(pids).toContain(process.pid);
    expect(pids).toEqual(pids.toSorted((one, other) => other - one));
  });

  it("has the environment that the process was started with", () => {
    expect(readEnvironmentVariable(process.pid, "PATH")).toBeTypeOf("string");
    expect(readEnvironmentVariable(process.pid, "ATH")).toBe("");
    expect(readEnvironmentVariable(2 ** 30, "PATH")).toBeUndefined();
  });
});
