import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findFirst } from "../../../../server/src/exec/process/program-lookup.ts";
import { useLauncher } from "../../../fixtures/processes/launching.ts";

/** A PATH that has only these programs. */
function usePath(...programs: readonly string[]): () => string {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "yonder-path-"));
    for (const program of programs) symlinkSync(findFirst([program], undefined) ?? "", join(directory, program));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  return () => directory;
}

describe.each([true, false])("a machine without bash, posix_spawn: %s", (posixSpawn) => {
  const path = usePath("sh", "cat", "wc", "ls", "grep");
  const launching = useLauncher(() => ({ environment: { PATH: path() }, posixSpawn }));

  it("runs shell lines by sh, long ones too", async () => {
    const long = `cat <<'EOF' | wc -c\n${"x".repeat(300_000)}\nEOF\n`;
    const ran = await launching.run(`${long}echo $0; [ -e /proc/$$/fd/3 ] || echo shut; cat; exit 7`);
    expect(ran).toMatchObject({ exitCode: 7, stdout: "300001\nsh\nshut\n" });
  });

  it("gives standard input that can be opened by its name, also after its end", async () => {
    const { process, ended } = await launching.launch("while ! [ -e go ]; do :; done; cat /dev/stdin", { stdin: true });
    await process.input?.write(Buffer.from("in"));
    process.input?.end();
    await launching.run(": > go");
    expect((await ended).stdout).toBe("in");
  });
});

describe("a machine without any shell", () => {
  const path = usePath("cat");
  const launching = useLauncher(() => ({ environment: { PATH: path() } }));

  it("still runs argument lists, with input", async () => {
    const { process, ended } = await launching.launch({ args: ["cat"] }, { stdin: true });
    await process.input?.write(Buffer.from("in"));
    process.input?.end();
    expect(await ended).toMatchObject({ exitCode: 0, stdout: "in" });
  });

  it("refuses what needs one", async () => {
    await expect(launching.run("true")).rejects.toMatchObject({ reason: "PROGRAM_NOT_FOUND" });
    await expect(launching.run({ args: ["cat"] }, { limits: { openFiles: 9 } })).rejects.toMatchObject({
      reason: "LIMIT_UNSUPPORTED",
    });
    const terminal = { columns: 80, rows: 24, terminalType: "xterm" };
    await expect(launching.run({ args: ["cat"] }, { terminal })).rejects.toMatchObject({
      reason: "TERMINAL_UNSUPPORTED",
    });
  });
});

describe("a machine without the addon and without mkfifo", () => {
  const full = process.env["PATH"];
  beforeAll(() => {
    process.env["PATH"] = "/nonexistent";
  });
  const launching = useLauncher(() => ({ environment: { PATH: full }, posixSpawn: false }));
  afterAll(() => {
    process.env["PATH"] = full;
  });

  it("falls back to sockets, and says so", async () => {
    expect(launching.launcher.notices.join()).toContain("mkfifo");
    expect(await launching.run("echo out; echo err >&2")).toMatchObject({ stdout: "out\n", stderr: "err\n" });
  });

  it("ends a command's output also when it is paused for a while", async () => {
    const { process, ended } = await launching.launch({ args: ["head", "-c", "1000000", "/dev/zero"] });
    process.outputs[0]?.pause();
    setTimeout(() => process.outputs[0]?.resume(), 20);
    expect((await ended).stdout).toHaveLength(1_000_000);
  });
});
