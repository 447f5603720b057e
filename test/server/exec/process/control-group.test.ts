import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { removeGroup } from "../../../../server/src/exec/process/cgroup-directory.ts";
import { parseHierarchies } from "../../../../server/src/exec/process/cgroup-hierarchies.ts";
import { createControlGroups, type ControlGroups } from "../../../../server/src/exec/process/control-group.ts";
import { patient } from "../../../helpers/time.ts";

const mountinfo = readFileSync("/proc/self/mountinfo", "utf8");
const membership = readFileSync("/proc/self/cgroup", "utf8");

function useGroups(mounts = mountinfo): ControlGroups {
  const groups = createControlGroups(mounts, membership);
  onTestFinished(() => {
    groups.close();
    moveBack(mounts);
  });
  return groups;
}

/** In a hierarchy of version 2 the server moves to a group of its own. */
function moveBack(mounts: string): void {
  const [own] = parseHierarchies(mounts, membership).filter(({ version }) => version === 2);
  if (own === undefined || !readdirSync(own.own).includes("yonder-server")) return;
  writeFileSync(join(own.own, "cgroup.procs"), String(process.pid));
  // Another test may be in it.
  removeGroup(join(own.own, "yonder-server"));
}

describe("the hierarchies of control groups", () => {
  it("are read with the server's own group in each", () => {
    const mounts = `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/my\\040pids rw shared:9 - cgroup cgroup rw,pids
34 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`;
    const groups = "3:pids:/a/b\n2:cpu,cpuacct:/\n1:name=systemd:/x\n0::/user.slice/my.scope\n";
    expect(parseHierarchies(mounts, groups)).toEqual([
      { version: 1, controllers: ["rw", "cpu", "cpuacct"], own: "/sys/fs/cgroup/cpu,cpuacct" },
      { version: 1, controllers: ["rw", "pids"], own: "/sys/fs/cgroup/my pids/a/b" },
      { version: 2, controllers: [], own: "/sys/fs/cgroup/unified/user.slice/my.scope" },
    ]);
  });

  it("are read where a container sees only its own part", () => {
    const mounts = "40 31 0:30 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids";
    const owns = (path: string) => parseHierarchies(mounts, `3:pids:${path}\n`).map(({ own }) => own);
    expect(owns("/docker/abc")).toEqual(["/sys/fs/cgroup/pids"]);
    expect(owns("/docker/abc/d")).toEqual(["/sys/fs/cgroup/pids/d"]);
    expect(owns("/docker/abcd")).toEqual([]);
    expect(owns("/../../outside")).toEqual([]);
  });

  it("are none where there are no mounts", () => {
    expect(parseHierarchies("", "")).toEqual([]);
    const groups = createControlGroups("", "");
    expect([groups.tracks, groups.limitsMemory, groups.limitsProcesses]).toEqual([false, false, false]);
    expect(groups.create("mark", {})).toBeUndefined();
    groups.close();
  });
});

describe.each([
  ["any version", mountinfo],
  ["version 2", onlyVersion2(mountinfo)],
])("a control group of %s", (version, mounts) => {
  it("has what is born in it, and leaves the server where it was", async ({ skip }) => {
    const groups = useGroups(mounts);
    if (!groups.tracks) skip(`no writable hierarchy of ${version}`);
    const before = readFileSync("/proc/self/cgroup", "latin1");
    const group = groups.create(`test-1-${version}`, {});
    const child = group?.enclose(() =>
      spawn("bash", ["-c", "(setsid env -i sleep 300 &); exec sleep 300"], { detached: true }),
    );
    await expect.poll(() => group?.pids().filter((pid) => commandOf(pid) === "sleep").length, patient).toBe(2);
    expect(group?.pids()).toContain(child?.pid);
    expect(group?.pids()).not.toContain(process.pid);
    expect(readFileSync("/proc/thread-self/cgroup", "latin1")).toBe(before);
    for (const pid of group?.pids() ?? []) process.kill(pid, "SIGKILL");
    await expect.poll(() => group?.pids(), patient).toEqual([]);
    group?.release();
  });

  it("leaves the server where it was also when the start fails", ({ skip }) => {
    const groups = useGroups(mounts);
    if (!groups.tracks) skip(`no writable hierarchy of ${version}`);
    const before = readFileSync("/proc/thread-self/cgroup", "latin1");
    const group = groups.create(`test-2-${version}`, {});
    expect(() =>
      group?.enclose(() => {
        throw new Error("no start");
      }),
    ).toThrow("no start");
    expect(readFileSync("/proc/thread-self/cgroup", "latin1")).toBe(before);
    group?.release();
  });

  it("is the one that was prepared for its mark, and one for another mark is removed", async ({ skip }) => {
    const groups = useGroups(mounts);
    if (!groups.tracks) skip(`no writable hierarchy of ${version}`);
    const before = groupsThere(mounts);
    groups.prepare(`test-4-${version}`);
    const prepared = groupsThere(mounts).filter((name) => !before.includes(name));
    expect(prepared).toHaveLength(1);
    const group = groups.create(`test-4-${version}`, {});
    expect(groupsThere(mounts).filter((name) => !before.includes(name))).toEqual(prepared);
    const child = group?.enclose(() => spawn("sleep", ["300"], { detached: true, stdio: "ignore" }));
    expect(group?.pids()).toContain(child?.pid);
    child?.kill("SIGKILL");
    if (child !== undefined) await once(child, "exit");
    group?.release();
    groups.prepare(`test-5-${version}`);
    groups.create(`test-6-${version}`, {})?.release();
    groups.prepare(`test-7-${version}`);
    groups.close();
    groups.prepare(`test-8-${version}`);
    expect(groupsThere(mounts)).toEqual(before);
  });

  it.for(["prepared", "made"])("is made again where somebody removed it once it was %s", async (when, { skip }) => {
    const groups = useGroups(mounts);
    if (!groups.tracks) skip(`no writable hierarchy of ${version}`);
    const before = groupsThere(mounts);
    const remove = (): void => {
      for (const name of groupsThere(mounts).filter((name) => !before.includes(name))) {
        for (const place of placesOf(mounts)) removeGroup(join(place, name));
      }
      expect(groupsThere(mounts)).toEqual(before);
    };
    groups.prepare(`test-9-${version}`);
    if (when === "prepared") remove();
    const group = groups.create(`test-9-${version}`, { processes: 100 });
    if (when === "made") remove();
    const child = group?.enclose(() => spawn("sleep", ["300"], { detached: true, stdio: "ignore" }));
    expect(group?.pids()).toContain(child?.pid);
    child?.kill("SIGKILL");
    if (child !== undefined) await once(child, "exit");
    group?.release();
    groups.close();
    expect(groupsThere(mounts)).toEqual(before);
  });

  it("is removed once it is empty, at the latest when the launcher closes", async ({ skip }) => {
    const groups = useGroups(mounts);
    if (!groups.tracks) skip(`no writable hierarchy of ${version}`);
    const before = groupsThere(mounts);
    const group = groups.create(`test-3-${version}`, {});
    const child = group?.enclose(() => spawn("sleep", ["300"], { detached: true, stdio: "ignore" }));
    expect(groupsThere(mounts).length).toBeGreaterThan(before.length);
    group?.release();
    expect(groupsThere(mounts).length).toBeGreaterThan(before.length);
    child?.kill("SIGKILL");
    if (child !== undefined) await once(child, "exit");
    groups.close();
    expect(groupsThere(mounts)).toEqual(before);
  });
});

describe("groups of servers that are gone", () => {
  it("are removed at the start, and those of living ones are not", ({ skip }) => {
    const groups = useGroups();
    if (!groups.tracks) skip("no writable hierarchy");
    const [own] = parseHierarchies(mountinfo, membership).filter(({ controllers }) => controllers.includes("pids"));
    const dead = join(own?.own ?? "", `yonder-${2 ** 22 + 1}-1-${"0".repeat(32)}`);
    mkdirSync(dead);
    const alive = groups.create("alive", {});
    useGroups();
    expect(() => rmdirSync(dead)).toThrow(expect.objectContaining({ code: "ENOENT" }) as Error);
    expect(alive?.pids()).toEqual([]);
    expect(groupsThere(mountinfo)).not.toEqual([]);
    alive?.release();
  });
});

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, "latin1").trim();
}

function onlyVersion2(mounts: string): string {
  return mounts
    .split("\n")
    .filter((line) => line.includes(" - cgroup2 "))
    .join("\n");
}

/** This process's groups, in all hierarchies. */
function groupsThere(mounts: string): string[] {
  return placesOf(mounts)
    .flatMap((place) => readdirSync(place))
    .filter((name) => name.startsWith(`yonder-${process.pid}-`));
}

function placesOf(mounts: string): string[] {
  return parseHierarchies(mounts, readFileSync("/proc/self/cgroup", "utf8")).map(({ own }) => own);
}
