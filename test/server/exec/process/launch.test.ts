import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useLauncher } from "../../../fixtures/processes/launching.ts";
import { until } from "../../../helpers/until.ts";

const launching = useLauncher();
const { launch, run } = launching;
const isRoot = process.geteuid?.() === 0;

describe("a process", () => {
  it("ends with its exit code, and both streams are whole", async () => {
    const ran = await run("echo out; echo err >&2; exit 3");
    expect(ran).toEqual({ exitCode: 3, signal: undefined, stdout: "out\n", stderr: "err\n" });
  });

  it("ends with the signal that ended it", async () => {
    expect(await run("kill -SEGV $$")).toMatchObject({ exitCode: undefined, signal: "SIGSEGV" });
  });

  it("exits at once although what it left in the background holds its pipes", async () => {
    const { process, printed, ended } = await launch("sleep 300 & echo hi");
    expect(await process.exited).toEqual({ exitCode: 0, signal: undefined });
    await printed("hi\n");
    await process.endTree(0);
    expect((await ended).stdout).toBe("hi\n");
  });

  it("delivers what it printed before anybody listened", async () => {
    const launched = await launching.launcher.launch({
      program: { args: ["seq", "10"] },
      workingDirectory: undefined,
      environment: { variables: {}, clean: false, unset: [] },
      user: undefined,
      terminal: undefined,
      stdin: false,
      limits: {},
      mark: "late listener",
    });
    await launched.exited;
    let text = "";
    await new Promise<void>((resolve) => {
      for (const output of launched.outputs) {
        if (output.stream === "stdout") output.start((chunk) => (text += chunk.toString()), resolve);
        else output.destroy();
      }
    });
    expect(text.split("\n")).toHaveLength(11);
    launched.release();
  });

  it("waits in its write while its output is paused", async () => {
    const { process, stdout, ended } = await launch("head -c 1000000 /dev/zero; echo done >&2");
    const [output] = process.outputs;
    output?.pause();
    await until(() => readFileSync(`/proc/${process.pid}/wchan`, "latin1") !== "" || stdout().length > 0);
    output?.resume();
    expect((await ended).stdout).toHaveLength(1_000_000);
  });

  it("leads a session and a group of its own", async () => {
    const { process, ended } = await launch("cut -d' ' -f5,6 /proc/$$/stat");
    expect((await ended).stdout).toBe(`${process.pid} ${process.pid}\n`);
  });

  it("is a likelier victim than the server when memory runs short", async () => {
    const own = Number(readFileSync("/proc/self/oom_score_adj", "latin1"));
    expect(Number((await run("sleep 0.05; cat /proc/self/oom_score_adj")).stdout)).toBe(Math.min(1000, own + 500));
  });

  it("is told apart from others by its start time and this boot", async () => {
    const { process: launched } = await launch("sleep 300");
    const stat = readFileSync(`/proc/${launched.pid}/stat`, "latin1");
    expect(launched.leftoverMark).toMatchObject({
      pid: launched.pid,
      startTicks: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]),
      bootId: readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim(),
    });
  });
});

describe("standard streams", () => {
  it("can be opened by name", async () => {
    const { process, ended } = await launch("echo x > /dev/stderr; cat /dev/stdin | tee /dev/stdout", { stdin: true });
    await process.input?.write(Buffer.from("in\n"));
    process.input?.end();
    expect(await ended).toMatchObject({ exitCode: 0, stdout: "in\nin\n", stderr: "x\n" });
  });

  it.runIf(isRoot)("can be opened by name by another user", async () => {
    const { process, ended } = await launch("id -u; echo x > /dev/stderr; cat /dev/stdin > /dev/stdout", {
      stdin: true,
      user: "65534:65534",
      workingDirectory: Buffer.from("/"),
    });
    await process.input?.write(Buffer.from("in\n"));
    process.input?.end();
    expect(await ended).toMatchObject({ exitCode: 0, stdout: "65534\nin\n", stderr: "x\n" });
  });

  it("are empty for input where none was asked for", async () => {
    expect(await run("cat; readlink /proc/self/fd/0")).toMatchObject({ exitCode: 0, stdout: "/dev/null\n" });
  });

  it("take input of any size, and its end", async () => {
    const { process, ended } = await launch({ args: ["sha256sum"] }, { stdin: true });
    const data = Buffer.alloc(3_000_000, "ab");
    await process.input?.write(data);
    process.input?.end();
    expect((await ended).stdout).toBe(`${createHash("sha256").update(data).digest("hex")}  -
`);
  });

  it("refuse a write with EPIPE once the process has closed its input", async () => {
    const { process, printed } = await launch("exec <&-; echo closed; sleep 300", { stdin: true });
    await printed("closed");
    await expect(process.input?.write(Buffer.from("x"))).rejects.toMatchObject({ code: "EPIPE" });
    await expect(process.input?.write(Buffer.from("x"))).rejects.toMatchObject({ code: "EPIPE" });
  });

  it("refuse a write that waits when the process ends", async () => {
    const { process } = await launch("sleep 300", { stdin: true });
    const [write] = await Promise.allSettled([process.input?.write(Buffer.alloc(1_000_000)), process.endTree(0)]);
    expect(write).toMatchObject({ status: "rejected", reason: { code: "EPIPE" } });
  });

  it("are all that a process inherits", async () => {
    await launch("sleep 300", { stdin: true });
    const terminal = await launch("sleep 300", { terminal: { columns: 80, rows: 24, terminalType: "xterm" } });
    const { process } = await launch({ args: ["sleep", "300"] }, { stdin: true });
    const inherited = readdirSync(`/proc/${process.pid}/fd`).filter((fd) => Number(fd) > 2);
    // Node can close nothing in a child: there is nothing behind what it could not keep from it.
    for (const fd of inherited) expect([fd, readlinkSync(`/proc/${process.pid}/fd/${fd}`)]).toEqual([fd, "/dev/null"]);
    await terminal.process.endTree(0);
  });
});

const text = "$x `y` \\ \" ' é\n".repeat(20_000);
const heredoc = `cat <<'EOF' | wc -c\n${text}EOF\n`;

describe("a shell line", () => {
  it("may be longer than an argument", async () => {
    expect(Buffer.byteLength(heredoc)).toBeGreaterThan(300_000);
    const ran = await run(`${heredoc}echo $0 $#; [ -e /proc/$$/fd/3 ] || echo shut; cat; exit 7`);
    expect(ran).toMatchObject({ exitCode: 7, stdout: `${Buffer.byteLength(text)}\nbash 0\nshut\n`, stderr: "" });
  });

  it("may be longer than an argument and still read standard input", async () => {
    const { process, ended } = await launch(`${heredoc}cat`, { stdin: true });
    await process.input?.write(Buffer.from("in"));
    process.input?.end();
    expect((await ended).stdout).toBe(`${Buffer.byteLength(text)}\nin`);
  });

  it("needs no PATH, also when it is long", async () => {
    const environment = { variables: { PATH: "/nonexistent" }, clean: false, unset: [] };
    expect(await run(`: '${"x".repeat(300_000)}'; exit 7`, { environment })).toMatchObject({ exitCode: 7 });
  });

  it("leaves no file behind when it is long", async () => {
    await run(heredoc);
    expect(readdirSync(launching.runtimeDirectory).filter((name) => name.startsWith("script-"))).toEqual([]);
  });

  it("reads no profile and no standard input", async () => {
    expect((await run("shopt login_shell; echo $-")).stdout).toBe("login_shell    \toff\nhBc\n");
  });
});

describe("a working directory", () => {
  it("is the workspace's where none is asked for, and relative to it otherwise", async () => {
    mkdirSync(join(launching.directory, "a b"));
    expect((await run("pwd; echo $PWD")).stdout).toBe(`${launching.directory}\n${launching.directory}\n`);
    expect((await run("pwd", { workingDirectory: Buffer.from("./a b/") })).stdout).toBe(`${launching.directory}/a b\n`);
    expect((await run("pwd", { workingDirectory: Buffer.from("/") })).stdout).toBe("/\n");
  });

  it("is called as it was asked for, not as its links lead", async () => {
    mkdirSync(join(launching.directory, "real/inner"), { recursive: true });
    symlinkSync("real/inner", join(launching.directory, "link"));
    const at = (path: string) => run("pwd; pwd -P", { workingDirectory: Buffer.from(path) });
    const { directory } = launching;
    expect((await at("link")).stdout).toBe(`${directory}/link\n${directory}/real/inner\n`);
    expect((await at("link/..")).stdout).toBe(`${directory}/real\n${directory}/real\n`);
  });

  it("may have a name that is no UTF-8", async () => {
    const name = Buffer.from([0x66, 0xff, 0xe9]);
    mkdirSync(Buffer.concat([Buffer.from(`${launching.directory}/`), name]));
    const { stdout } = await run("echo ${PWD##*/}; touch inside; echo *", { workingDirectory: name });
    expect(Buffer.from(stdout, "latin1").subarray(0, 3)).toEqual(name);
    expect(stdout.slice(4)).toBe("inside\n");
  });

  it("is refused where it is missing, no directory, or a circle", async () => {
    writeFileSync(join(launching.directory, "file"), "");
    symlinkSync("circle", join(launching.directory, "circle"));
    const at = (path: string) => run("true", { workingDirectory: Buffer.from(path) });
    await expect(at("missing")).rejects.toMatchObject({
      name: "NotFound",
      reason: "DIRECTORY_NOT_FOUND",
      context: { subject: `${launching.directory}/missing` },
    });
    await expect(at("file")).rejects.toMatchObject({ name: "FailedPrecondition", reason: "NOT_A_DIRECTORY" });
    await expect(at("file/below")).rejects.toMatchObject({ name: "FailedPrecondition", reason: "NOT_A_DIRECTORY" });
    await expect(at("circle")).rejects.toMatchObject({ reason: "DIRECTORY_NOT_FOUND" });
  });
});

describe("a program", () => {
  const file = (name: string, content: string | Buffer, mode = 0o755) => {
    const path = join(launching.directory, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };

  it("is run as it is, by the name that was given", async () => {
    expect((await run({ args: ["printf", "[%s]", "$HOME", "a b", ""] })).stdout).toBe("[$HOME][a b][]");
    expect((await run({ args: ["bash", "-c", "echo $0"] })).stdout).toBe("bash\n");
  });

  it("is found in the PATH of the command, relative to its directory", async () => {
    mkdirSync(join(launching.directory, "tools"));
    file("tools/tool", "#!/bin/sh\necho found\n");
    file("here", "#!/bin/sh\necho here\n");
    const environment = { variables: { PATH: "/nonexistent::tools" }, clean: false, unset: [] };
    expect((await run({ args: ["tool"] }, { environment })).stdout).toBe("found\n");
    expect((await run({ args: ["here"] }, { environment })).stdout).toBe("here\n");
    await expect(run({ args: ["ls"] }, { environment })).rejects.toMatchObject({ reason: "PROGRAM_NOT_FOUND" });
    expect((await run({ args: ["./here"] })).stdout).toBe("here\n");
    expect((await run({ args: ["../here"] }, { workingDirectory: Buffer.from("tools") })).stdout).toBe("here\n");
  });

  it.each([
    ["is not there", () => "no-such-program", "PROGRAM_NOT_FOUND"],
    ["is not there by its path", () => "./no-such-program", "PROGRAM_NOT_FOUND"],
    ["is a directory", () => "/etc", "PROGRAM_NOT_EXECUTABLE"],
    ["is a device", () => "/dev/null", "PROGRAM_NOT_EXECUTABLE"],
    ["has no execute bit", () => file("plain", "#!/bin/sh\n", 0o644), "PROGRAM_NOT_EXECUTABLE"],
    ["names a missing interpreter", () => file("orphan", "#!/no/such/python\n"), "PROGRAM_NOT_EXECUTABLE"],
    ["has DOS line ends", () => file("dos", "#!/bin/sh\r\necho\r\n"), "PROGRAM_NOT_EXECUTABLE"],
    ["is a text without a first line", () => file("text", "echo hi\n"), "PROGRAM_NOT_EXECUTABLE"],
    ["is empty", () => file("empty", ""), "PROGRAM_NOT_EXECUTABLE"],
    ["is of no known format", () => file("data", Buffer.alloc(300)), "PROGRAM_NOT_EXECUTABLE"],
  ])("that %s is refused before anything runs", async (_, program, reason) => {
    await expect(run({ args: [program()] })).rejects.toMatchObject({ reason });
  });

  it("that is for another machine is refused", async () => {
    const foreign = readFileSync("/bin/true").subarray(0, 4096);
    foreign.writeUInt16LE(process.arch === "x64" ? 183 : 62, 18);
    await expect(run({ args: [file("foreign", foreign)] })).rejects.toMatchObject({
      reason: "PROGRAM_NOT_EXECUTABLE",
      message: expect.stringContaining("another machine") as string,
    });
  });

  it("that needs a missing loader is refused as not executable, although the kernel calls it missing", async () => {
    const program = Buffer.from(readFileSync("/bin/true"));
    const loader = program.indexOf("/lib64/ld-linux");
    if (loader === -1) return;
    program.write("/nowhere", loader);
    await expect(run({ args: [file("unloadable", program)] })).rejects.toMatchObject({
      reason: "PROGRAM_NOT_EXECUTABLE",
    });
  });

  it("with more arguments than the kernel takes is refused", async () => {
    await expect(run({ args: ["true", "x".repeat(200_000)] })).rejects.toMatchObject({
      name: "InvalidRequest",
      reason: "ARGUMENTS_TOO_LARGE",
      context: { subject: "true" },
    });
  });
});

describe("a launcher", () => {
  it("holds as many files after 1,000 launches as before", async () => {
    const count = () => readdirSync("/proc/self/fd").length;
    await run({ args: ["true"] });
    const before = count();
    for (let i = 0; i < 250; i++) {
      await Promise.all(Array.from({ length: 4 }, () => run({ args: ["true"] })));
    }
    // Pipes for input are kept ready, a few more or less.
    await until(() => count() < before + 30);
    expect(readdirSync(launching.runtimeDirectory).length).toBeLessThan(130);
  });

  it("holds nothing of a launch that failed", async () => {
    const count = () => readdirSync("/proc/self/fd").length;
    const fail = (request: object) => expect(run({ args: ["true", "x".repeat(200_000)] }, request)).rejects.toThrow();
    await run({ args: ["true"] });
    const before = count();
    for (let i = 0; i < 50; i++) {
      await fail({ terminal: { columns: 80, rows: 24, terminalType: "xterm" } });
      await fail({ workingDirectory: Buffer.from("nowhere") });
      await fail({ stdin: true });
    }
    // Pipes are kept ready, a few more or less.
    await until(() => count() < before + 30);
  });

  it("starts processes also after a cleaner of temporary files was in its directory", async () => {
    rmSync(launching.runtimeDirectory, { recursive: true });
    const ran = await Promise.all(Array.from({ length: 20 }, () => run("echo $0 > /dev/stderr")));
    expect(new Set(ran.map(({ stderr }) => stderr))).toEqual(new Set(["bash\n"]));
    rmSync(launching.runtimeDirectory, { recursive: true });
    expect(await run(heredoc)).toMatchObject({ exitCode: 0 });
  });

  it("starts a hundred at once", async () => {
    const ran = await Promise.all(Array.from({ length: 100 }, (_, i) => run(`echo ${i}; exit ${i}`)));
    expect(ran.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual(ran.map((_, i) => [i, `${i}\n`]));
  });
});
