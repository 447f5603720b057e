import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StateDirectory, StateDirectoryError } from "../../../server/src/exec/state/state-directory.ts";

const isRoot = process.geteuid?.() === 0;

let parent: string;
let path: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "yonder-state-test-"));
  path = join(parent, "deep", "state");
});

afterEach(() => {
  rmSync(parent, { recursive: true, force: true });
});

describe("StateDirectory", () => {
  it("is made private to its user, its parents too", async () => {
    const state = await StateDirectory.open(path);
    const modeOf = (file: string): number => statSync(file).mode & 0o777;
    expect(modeOf(dirname(path))).toBe(0o700);
    expect(modeOf(path)).toBe(0o700);
    expect(modeOf(state.outputDirectory)).toBe(0o700);
    expect(modeOf(join(path, "hash-key"))).toBe(0o600);
    await state.close();
  });

  it("keeps the workspace's id and key from start to start", async () => {
    const first = await StateDirectory.open(path);
    await first.close();
    const second = await StateDirectory.open(path);
    expect(second.workspaceId).toMatch(/^[\da-f-]{36}$/u);
    expect(second.workspaceId).toBe(first.workspaceId);
    expect(second.hashKey).toHaveLength(32);
    expect(second.hashKey).toEqual(first.hashKey);
    await second.close();
  });

  it("that is temporary goes with the next one where its process was killed, and no other does", async () => {
    const source = fileURLToPath(new URL("../../../server/src/exec/state/state-directory.ts", import.meta.url));
    const program = `const { StateDirectory } = await import(${JSON.stringify(source)});
      console.log((await StateDirectory.open(process.env.CHOSEN)).path);
      if (process.env.LIVES === undefined) process.kill(process.pid, "SIGKILL");
      setInterval(() => {}, 1_000);`;
    const children: ChildProcess[] = [];
    const openElsewhere = async (more: Record<string, string>): Promise<string> => {
      const child = spawn(process.execPath, [...typescript, "--eval", program], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, TMPDIR: parent, ...more },
      });
      children.push(child);
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      if (more["LIVES"] === undefined) await once(child, "exit");
      return line.toString().trim();
    };
    vi.stubEnv("TMPDIR", parent);
    try {
      const living = await openElsewhere({ LIVES: "1" });
      const chosen = await openElsewhere({ CHOSEN: join(parent, "yonder-chosen") });
      const killed = await openElsewhere({});
      expect(existsSync(killed)).toBe(true);
      const next = await StateDirectory.open(undefined);
      expect([killed, living, chosen].map((each) => existsSync(each))).toEqual([false, true, true]);
      await next.close();
    } finally {
      vi.unstubAllEnvs();
      for (const child of children) child.kill("SIGKILL");
    }
  });

  it("is temporary without a path, and gone after", async () => {
    const [first, second] = await Promise.all([StateDirectory.open(undefined), StateDirectory.open(undefined)]);
    expect(first.path).not.toBe(second.path);
    expect(statSync(first.path).mode & 0o777).toBe(0o700);
    await first.close();
    await second.close();
    expect([first.path, second.path].map((file) => existsSync(file))).toEqual([false, false]);
  });

  it("follows a link to where the state really lies", async () => {
    mkdirSync(join(parent, "real"), { mode: 0o700 });
    symlinkSync(join(parent, "real"), join(parent, "link"));
    const state = await StateDirectory.open(join(parent, "link"));
    expect(existsSync(join(parent, "real", "hash-key"))).toBe(true);
    await state.close();
  });

  it("refuses a directory that another live server uses, and names its process and the way out", async () => {
    const state = await StateDirectory.open(path);
    await expect(StateDirectory.open(path)).rejects.toThrow(StateDirectoryError);
    await expect(StateDirectory.open(path)).rejects.toThrow(
      new RegExp(`process ${process.pid}.*--state-directory`, "su"),
    );
    await state.close();
    await (await StateDirectory.open(path)).close();
  });

  it("takes over from a server that was killed", async () => {
    const { child, text } = await openInChild(path);
    expect(text).toBe("holds");
    await expect(StateDirectory.open(path)).rejects.toThrow(`process ${child.pid}`);
    await kill(child);
    const state = await StateDirectory.open(path);
    expect(readdirSync(path).filter((file) => file.includes("lock"))).toHaveLength(1);
    await state.close();
  });

  it.runIf(process.platform === "linux")("does not take a recycled process id for the server", async () => {
    await (await StateDirectory.open(path)).close();
    writeFileSync(join(path, "lock.7"), JSON.stringify({ pid: process.pid, startTicks: "1", bootId: "another" }));
    await (await StateDirectory.open(path)).close();
  });

  it("is taken over by one of many that try at once", async () => {
    await kill((await openInChild(path)).child);
    const children = await Promise.all(Array.from({ length: 8 }, () => openInChild(path)));
    expect(children.filter(({ text }) => text === "holds")).toHaveLength(1);
    await Promise.all(children.map(({ child }) => kill(child)));
  });

  it("refuses a directory that others can write, and says what to do", async () => {
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o777);
    await expect(StateDirectory.open(path)).rejects.toThrow(/mode 777.*yonder.*chmod go-w/su);
    const inside = await StateDirectory.open(join(path, "yonder"));
    await inside.close();
  });

  it.runIf(isRoot)("refuses a directory of another user", async () => {
    mkdirSync(path, { recursive: true });
    chownSync(path, 12345, 12345);
    await expect(StateDirectory.open(path)).rejects.toThrow(/belongs to user 12345.*user 0/su);
  });

  it("says which directory cannot be made and why", async () => {
    writeFileSync(join(parent, "deep"), "a file");
    await expect(StateDirectory.open(path)).rejects.toThrow(/deep\/state.*(?:ENOTDIR|EEXIST).*--state-directory/su);
  });

  it.runIf(isRoot)("can be had by any user, and says so where it cannot", async () => {
    chmodSync(parent, 0o755);
    const refused = await openInChild(join(parent, "theirs"), 54321);
    expect(refused.text).toContain("EACCES");
    await kill(refused.child);
    mkdirSync(join(parent, "ours"));
    chownSync(join(parent, "ours"), 54321, 54321);
    const { child, text } = await openInChild(join(parent, "ours", "state"), 54321);
    expect(text).toBe("holds");
    await kill(child);
  });

  it.each(["workspace-id", "hash-key"])("refuses a damaged %s and holds no lock then", async (name) => {
    await (await StateDirectory.open(path)).close();
    writeFileSync(join(path, name), "?");
    await expect(StateDirectory.open(path)).rejects.toThrow(name);
    await expect(StateDirectory.open(path)).rejects.toThrow(name);
  });
});

/** What makes the oldest Node run a program in TypeScript, too. */
const typescript = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning", "--input-type=module"];

/** Opens the directory in another process, which holds it until it is killed, or says why it cannot. */
async function openInChild(directory: string, uid?: number) {
  const module = new URL("../../../server/src/exec/state/state-directory.ts", import.meta.url).href;
  const program = `
    import { StateDirectory } from ${JSON.stringify(module)};
    ${uid === undefined ? "" : `process.setuid(${uid});`}
    const answer = await StateDirectory.open(${JSON.stringify(directory)}).then(() => "holds", (error) => error.message);
    process.stdout.write(answer);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, [...typescript, "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [data] = (await once(child.stdout, "data")) as [Buffer];
  return { child, text: data.toString() };
}

async function kill(child: Awaited<ReturnType<typeof openInChild>>["child"]): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
