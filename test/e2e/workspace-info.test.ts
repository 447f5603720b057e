import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { Feature, LimitsSchema } from "@yonder/proto";
import { describe, expect, test } from "vitest";
import { execServer } from "../helpers/exec-server.ts";
import { until } from "../helpers/until.ts";

const server = execServer({ flags: ["--label=team=blue", "--label=place=Köln=1"] });

type Time = { seconds: bigint; nanos: number } | undefined;
const milliseconds = (time: Time): number => Number(time?.seconds ?? NaN) * 1000 + (time?.nanos ?? 0) / 1_000_000;

describe("GetInfo tells", () => {
  test("who answers, where, and on what", async () => {
    const info = await server.workspace.getInfo({});
    const { version } = JSON.parse(
      readFileSync(new URL("../../server/package.json", import.meta.url), "utf8"),
    ) as Record<string, unknown>;
    expect(info).toMatchObject({
      workspaceId: server.served.workspaceId,
      version,
      workingDirectory: server.directory,
      labels: { team: "blue", place: "Köln=1" },
      runningExecs: 0,
      platform: process.platform,
      architecture: process.arch,
    });
    expect(info.rawWorkingDirectory).toHaveLength(0);
    expect(info.instanceId).toMatch(/^[0-9a-f-]{36}$/);
    expect(milliseconds(info.uptime)).toBeGreaterThan(0);
  });

  test("how many commands run", async () => {
    const running = async () => (await server.workspace.getInfo({})).runningExecs;
    const { execId } = await server.spawn("sleep 1000");
    await server.run("true");
    expect(await running()).toBe(1);
    await server.exec.sendSignal({ execId, signal: "KILL" });
    await server.ended(execId);
    expect(await running()).toBe(0);
  });

  test("when something was last done for a client, which GetInfo is not", async () => {
    const last = async () => milliseconds((await server.workspace.getInfo({})).lastActivityTime);
    const before = await last();
    const { execId } = await server.spawn("read -r _", { stdin: {} });
    const atStart = await last();
    expect(atStart).toBeGreaterThanOrEqual(before);
    expect(await last()).toBe(atStart);
    await server.exec.writeStdin({ execId, data: Buffer.from("\n") });
    // The command's end is something, also where nobody asks for it.
    await until(async () => (await server.workspace.getInfo({})).runningExecs === 0);
    expect(await last()).toBeGreaterThan(atStart);
  });

  test("a feature for each thing that this machine can do, and a sentence for what it cannot", async () => {
    const { features, notices } = await server.workspace.getInfo({});
    expect(new Set(features).size).toBe(features.length);
    expect(features).not.toContain(Feature.UNSPECIFIED);
    expect(features).not.toContain(Feature.CONFINED_FILES);
    const root = process.geteuid?.() === 0;
    expect(features.includes(Feature.USER_SWITCH)).toBe(root);
    for (const notice of notices) expect(notice).toMatch(/^[A-Z].{20,}\.$/s);
    if (!features.includes(Feature.TERMINAL)) expect(notices.join("\n")).toContain("node-pty");
  });

  test("the server's own time", async () => {
    const begin = Date.now();
    const told = milliseconds((await server.workspace.getInfo({})).currentTime);
    expect(told).toBeGreaterThanOrEqual(begin);
    expect(told).toBeLessThanOrEqual(Date.now() + 1);
  });

  test("nothing of the machine unless it is asked to look at it", async () => {
    expect((await server.workspace.getInfo({})).diagnosis).toBeUndefined();
  });

  test("what it finds on its machine, once for all that ask at the same time", async () => {
    const infos = await Promise.all([1, 2, 3].map(() => server.workspace.getInfo({ diagnose: true })));
    const [found, ...same] = infos.map(({ diagnosis }) => diagnosis);
    for (const other of same) expect(other).toEqual(found);
    const version = execFileSync("git", ["--version"], { encoding: "utf8" });
    expect(version).toContain(found?.git?.version);
    expect(found).toMatchObject({ git: { problem: "" }, ripgrep: { problem: "" } });
    // Who that is, and whether it does its duty, is this machine's business.
    expect(found?.orphans?.parentPid).toBeGreaterThan(0);
    expect(found?.orphans?.parentName).not.toBe("");
    expect(found?.ripgrep?.version).toMatch(/^\d+\.\d/);
    const { features } = await server.workspace.getInfo({});
    expect(found?.terminalProblem === "").toBe(features.includes(Feature.TERMINAL));
    expect(found?.inotify).toMatchObject({ problem: "" });
    expect(Number(found?.inotify?.maxUserInstances)).toBeGreaterThan(0);
    for (const [disk, directory] of [
      [found?.stateDisk, server.served.stateDirectory],
      [found?.workingDisk, server.directory],
    ] as const) {
      expect(disk).toMatchObject({ directory, problem: "" });
      expect(disk?.availableBytes).toBeGreaterThan(0n);
      expect(disk?.availableBytes).toBeLessThanOrEqual(disk?.totalBytes ?? 0n);
    }
  });

  test("the default of every limit that the contract gives one", async () => {
    const { limits } = await server.workspace.getInfo({});
    expect(limits).toMatchObject({
      maxRunningExecs: 256,
      maxEndedExecs: 1_000,
      execRetention: { seconds: 600n, nanos: 0 },
      maxRememberedIds: 100_000,
      maxReaders: 1_000,
      maxMessageBytes: 4 * 2 ** 20,
      journalMemoryBytes: 2n ** 20n,
      maxJournalBytes: 2n ** 30n,
      maxTotalJournalBytes: 2n ** 33n,
      readerStallTimeout: { seconds: 60n },
      readerReconnectGrace: { seconds: 60n },
      heartbeatInterval: { seconds: 10n },
      maxWait: { seconds: 60n },
      maxTimeout: { seconds: 31_536_000n },
      stdinBufferBytes: 2n ** 20n,
      maxLabels: 64,
      maxLabelBytes: 1_024,
      maxPageSize: 1_000,
      maxReadBytes: 2 * 2 ** 20,
      requestRetention: { seconds: 600n },
      maxRememberedRequests: 10_000,
    });
    for (const { localName } of LimitsSchema.fields) {
      const value = (limits as unknown as Record<string, unknown>)[localName];
      expect({ [localName]: Boolean(value) }).toEqual({ [localName]: true });
    }
  });
});

describe("with every limit set by its flag", () => {
  /** The flag's value beside what is told of it, neither being the default. */
  const values: Record<string, [flag: string, told: unknown]> = {
    maxRunningExecs: ["11", 11],
    maxEndedExecs: ["12", 12],
    execRetention: ["13s", { seconds: 13n, nanos: 0 }],
    maxRememberedIds: ["14", 14],
    maxReaders: ["15", 15],
    maxMessageBytes: ["116KiB", 116 * 1024],
    journalMemoryBytes: ["117KiB", 117n * 1024n],
    maxJournalBytes: ["118KiB", 118n * 1024n],
    maxTotalJournalBytes: ["19MiB", 19n * 2n ** 20n],
    readerStallTimeout: ["1500ms", { seconds: 1n, nanos: 500_000_000 }],
    readerReconnectGrace: ["21s", { seconds: 21n }],
    heartbeatInterval: ["220ms", { seconds: 0n, nanos: 220_000_000 }],
    maxWait: ["23s", { seconds: 23n }],
    maxTimeout: ["2m", { seconds: 120n }],
    stdinBufferBytes: ["25KiB", 25n * 1024n],
    maxLabels: ["26", 26],
    maxLabelBytes: ["27", 27],
    maxPageSize: ["28", 28],
    maxReadBytes: ["29KiB", 29 * 1024],
    requestRetention: ["30s", { seconds: 30n }],
    maxRememberedRequests: ["31", 31],
    maxOpenUploads: ["40", 40],
    uploadRetention: ["41s", { seconds: 41n }],
    maxReadFileBytes: ["42KiB", 42 * 1024],
    maxListPageSize: ["43", 43],
    maxWatches: ["44", 44],
    maxWatchedDirectories: ["45", 45],
    maxWatchBacklog: ["46", 46],
    watchReconnectGrace: ["47s", { seconds: 47n }],
    maxSearchMatches: ["48", 48],
    maxUsers: ["80", 80],
    maxGitOperations: ["60", 60],
    gitTimeout: ["61s", { seconds: 61n }],
    maxGitPageSize: ["65", 65],
    maxGitReads: ["62", 62],
    maxDiffBytes: ["63KiB", 63 * 1024],
    maxGitOutputBytes: ["64MiB", 64n * 2n ** 20n],
  };
  const flagOf = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const limited = execServer({ flags: Object.entries(values).map(([name, [value]]) => `--${flagOf(name)}=${value}`) });

  test("GetInfo tells each as it was set", async () => {
    expect(Object.keys(values).toSorted()).toEqual(LimitsSchema.fields.map(({ localName }) => localName).toSorted());
    const { limits } = await limited.workspace.getInfo({});
    expect(limits).toMatchObject(Object.fromEntries(Object.entries(values).map(([name, [, told]]) => [name, told])));
  });
});

describe("a restart", () => {
  const own = execServer();

  test("keeps the workspace's id and changes the server's", async () => {
    const before = await own.workspace.getInfo({});
    await own.restart();
    const after = await own.workspace.getInfo({});
    expect(after.workspaceId).toBe(before.workspaceId);
    expect(after.instanceId).not.toBe(before.instanceId);
    expect(milliseconds(after.lastActivityTime)).toBeGreaterThanOrEqual(milliseconds(before.lastActivityTime));
  });
});

describe("a confined server", () => {
  const confined = execServer({ flags: [`--confine=${tmpdir()}`] });

  test("says so", async () => {
    expect((await confined.workspace.getInfo({})).features).toContain(Feature.CONFINED_FILES);
  });
});
