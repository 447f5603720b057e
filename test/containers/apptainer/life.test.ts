import { spawn } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ApptainerWorkspace } from "../../../client/src/apptainer/apptainer-workspace.ts";
import { freePort } from "../../../client/src/engine/port.ts";
import { Authentication, InvalidState, NotFound, workspaceFromJSON } from "../../../client/src/index.ts";
import type { WorkspaceDescription } from "../../../client/src/index.ts";
import {
  engines,
  instanceOptions,
  instancesOf,
  runtimeDirectory,
  smallImage,
  startInstance,
} from "../../helpers/engines/instances.ts";
import { shell } from "../../helpers/engines/shell.ts";
import { nobody } from "../../helpers/nobody.ts";
import { nodeArguments } from "../../helpers/serve.ts";
import { until } from "../../helpers/until.ts";

describe.skipIf(!engines.available)("an instance of Apptainer", () => {
  test("is started from Docker's image by one line, and nothing of it is left at the end of the scope", async () => {
    const image = `docker-daemon:${(await smallImage()).name}`;
    const runtimeDir = runtimeDirectory();
    const lines: string[] = [];
    const onLog = (line: string) => void lines.push(line);
    {
      await using workspace = await ApptainerWorkspace.start(
        await instanceOptions({ serverImage: image, bindServer: true, runtimeDir, onLog }),
      );
      expect((await workspace.executeCommand("pwd")).stdout).toBe("/workspace\n");
      expect(await instancesOf(runtimeDir)).toContain(workspace.name);
    }
    expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/Build complete/)]) as string[]);
    expect(lines).toContain("yonder is listening on unix:/run/yonder/yonder.sock");
    expect(await instancesOf(runtimeDir)).toEqual([]);

    // The second time it is there.
    const before = lines.length;
    const again = await startInstance({ serverImage: image, bindServer: true, onLog, pull: "never" });
    expect(await again.alive()).toBe(true);
    expect(lines.slice(before).filter((line) => line.includes("build"))).toEqual([]);
  });

  test("reaps what commands leave to its first process", async () => {
    const workspace = await startInstance();
    // Forked twice: its parent is gone when it ends.
    const { stdout } = await workspace.executeCommand("sh -c 'sleep 3 >/dev/null 2>&1 & echo $!'");
    const pid = stdout.trim();
    expect((await workspace.executeCommand(`grep PPid /proc/${pid}/status`)).stdout).toBe("PPid:\t1\n");
    await until(async () => (await workspace.executeCommand(`test -e /proc/${pid}`)).exitCode === 1);
    expect((await workspace.executeCommand("exit 7")).exitCode).toBe(7);
  });

  test("knows its key by the digest alone, and shows none of it", async () => {
    const runtimeDir = runtimeDirectory();
    const workspace = await startInstance({ runtimeDir, environment: { TOKEN: "a-secret-of-the-user" } });
    const key = String(workspace.apiKey);
    expect(key.length).toBeGreaterThan(40);
    expect((await workspace.executeCommand("cat /etc/yonder/keys")).stdout).toMatch(/^# \S+\nsha256:[\da-f]{64}\n$/);
    expect((await workspace.executeCommand("echo $TOKEN")).stdout).toBe("a-secret-of-the-user\n");
    await expect(shell("grep", ["-raF", "-D", "skip", key, runtimeDir])).rejects.toThrow(/ended with 1:/);
    expect(seenIn("environ", key)).toEqual([]);
    expect(seenIn("cmdline", key)).toEqual([]);
    expect(seenIn("cmdline", "a-secret-of-the-user")).toEqual([]);
    expect(JSON.stringify(workspace)).not.toContain(key);

    // Nobody else on this machine reaches the socket, and what the server is told cannot be changed inside.
    const modes = await shell("stat", ["--format=%a", join(runtimeDir, "apptainer", workspace.name)]);
    expect(modes).toBe("700\n");
    const attempt = await workspace.executeCommand("echo sha256:00 >>/etc/yonder/keys");
    expect(attempt).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("Read-only") as string });
  });

  test("is closed off from this machine's environment, files and processes", async () => {
    vi.stubEnv("YONDER_API_KEY", "the-key-of-somebody");
    vi.stubEnv("PASSED_ON", "it's $HOME");
    onTestFinished(() => void vi.unstubAllEnvs());
    const workspace = await startInstance({ forwardEnv: ["PASSED_ON", "NOT_THERE"], environment: { OWN: "1" } });
    const { stdout } = await workspace.executeCommand("env; cat /proc/[0-9]*/environ; ls -d /proc/[0-9]*");
    expect(stdout).not.toContain("the-key-of-somebody");
    expect(stdout).toMatch(/^PASSED_ON=it's \$HOME$/m);
    expect(stdout).toMatch(/^OWN=1$/m);
    expect(stdout).not.toContain("NOT_THERE");
    expect((await workspace.executeCommand("ls -A /tmp /var/tmp ~")).stdout).not.toMatch(/yonder|cache/);
    expect(stdout.match(/^\/proc\/\d+$/gm)?.length).toBeLessThan(10);
  });

  test("has files of this machine where they were bound, also with odd names, and read-only where it says so", async () => {
    const directory = temporary();
    const odd = join(directory, 'a, "b" c');
    mkdirSync(odd);
    writeFileSync(join(odd, "file"), "there\n");
    mkdirSync(join(directory, "project"));
    const workspace = await startInstance({
      extraBindMounts: [`${odd}:/data/odd:ro`, `${directory}:/data/all`],
      mountDir: join(directory, "project"),
      workingDir: "/home/project",
    });
    expect((await workspace.executeCommand("pwd; cat /data/odd/file; touch here /data/all/too")).stdout).toBe(
      "/home/project\nthere\n",
    );
    expect((await workspace.executeCommand("touch /data/odd/new")).stderr).toContain("Read-only");
    await workspace.close();
    expect(readdirSync(join(directory, "project"))).toEqual(["here"]);
    expect(readdirSync(directory)).toContain("too");
  });

  test("keeps changes of the image's files in an overlay, or in memory until it ends", async () => {
    const overlay = temporary();
    const change = "echo changed >/etc/motd; cat /etc/motd";
    const first = await startInstance({ overlay });
    expect((await first.executeCommand(change)).stdout).toBe("changed\n");
    await first.close();
    const second = await startInstance({ overlay });
    expect((await second.executeCommand("cat /etc/motd")).stdout).toBe("changed\n");
    await second.close();
    const other = await startInstance();
    expect((await other.executeCommand("cat /etc/motd")).stdout).not.toBe("changed\n");
    expect((await other.executeCommand(change)).stdout).toBe("changed\n");
  });

  test("works without any network, or by a port of this machine", async () => {
    const without = await startInstance({ network: "none" });
    const { stdout } = await without.executeCommand("cat /proc/net/dev | tail -n +3 | cut -d: -f1");
    expect(stdout.trim()).toBe("lo");

    const hostPort = await freePort();
    const by = await startInstance({ hostPort });
    expect((await by.executeCommand("echo hi")).stdout).toBe("hi\n");
    const listening = await shell("cat", ["/proc/net/tcp"]);
    expect(listening).toContain(`0100007F:${hostPort.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`);
  });

  test("stands still while it is paused, and its time limits with it", async () => {
    const workspace = await startInstance();
    const handle = await workspace.spawn("i=0; while :; do echo $((i += 1)); sleep 0.05; done", { timeoutMs: 3_000 });
    for await (const line of handle.lines()) if (line === "3") break;
    await workspace.pause();
    expect(await workspace.alive()).toBe(false);
    // Longer than the command may run.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await workspace.resume();
    expect(await workspace.alive()).toBe(true);
    const { state } = (await workspace.execs())[0] ?? {};
    expect(state).toBe("running");
    const end = await handle.wait();
    expect(end.reason).toBe("TIMED_OUT");
    const counted = (await handle.output()).text.trim().split("\n").length;
    // Three seconds of running are sixty steps at the most.
    expect(counted).toBeGreaterThan(10);
    expect(counted).toBeLessThanOrEqual(61);
  });

  test("that is paused ends like any other, and what was stopped by hand stays so", async () => {
    const workspace = await startInstance();
    const handle = await workspace.spawn("sleep 1000");
    await workspace.executeCommand(`kill -STOP ${handle.pid}`);
    const state = async () => (await workspace.executeCommand(`grep State /proc/${handle.pid}/status`)).stdout;
    await workspace.pause();
    await workspace.resume();
    expect(await state()).toContain("T (stopped)");
    await workspace.pause();
    await workspace.close();
  });

  test("that is kept is found again by its name and key, and by what JSON has of it", async () => {
    const runtimeDir = runtimeDirectory();
    const first = await startInstance({ runtimeDir, keepAlive: true, name: "kept-one" });
    const { apiKey } = first;
    const { execId } = await first.spawn("echo before; sleep 1000");
    const description = JSON.parse(JSON.stringify(first)) as WorkspaceDescription;
    expect(description).toEqual({ kind: "apptainer", name: "kept-one", workingDir: "/workspace", runtimeDir });
    await first.close();
    expect(await ApptainerWorkspace.sweep({ runtimeDir })).toEqual([]);

    const second = await workspaceFromJSON(description, { apiKey });
    expect((await (await second.attach(execId)).output({ cursor: 0, waitMs: 20_000 })).text).toBe("before\n");
    await second.close();
    const other = ApptainerWorkspace.reattach({ runtimeDir, name: "kept-one", apiKey: "another-key-of-some-length" });
    await expect(other).rejects.toBeInstanceOf(Authentication);
    const third = await ApptainerWorkspace.reattach({ runtimeDir, name: "kept-one", apiKey, onClose: "remove" });
    await third.close();
    const gone = ApptainerWorkspace.reattach({ runtimeDir, name: "kept-one", apiKey });
    await expect(gone).rejects.toMatchObject({ reason: "WORKSPACE_NOT_FOUND", subject: "kept-one" });
    await expect(gone).rejects.toBeInstanceOf(NotFound);
  });

  test("is found again without its key by whoever may read its files, and lives as long as anybody uses it", async () => {
    const runtimeDir = runtimeDirectory();
    const program = `const workspace = await ApptainerWorkspace.start(${JSON.stringify(await instanceOptions({ runtimeDir, name: "shared" }))});
      console.log((await workspace.spawn("echo before; sleep 1000")).execId);
      process.kill(process.pid, "SIGKILL");`;
    const execId = (await asUser(undefined, temporary(), program)).trim();
    const own = await ApptainerWorkspace.reattach({ runtimeDir, name: "shared" });
    expect((await (await own.attach(execId)).output({ cursor: 0, waitMs: 20_000 })).text).toBe("before\n");
    // The program that started it has gone, and its key with it; this one has not.
    expect((await own.executeCommand("grep -c sha256 /etc/yonder/keys")).stdout).toBe("1\n");
    expect(await ApptainerWorkspace.sweep({ runtimeDir })).toEqual([]);
    const again = await workspaceFromJSON(JSON.parse(JSON.stringify(own)) as WorkspaceDescription);
    expect((await again.executeCommand("echo here")).stdout).toBe("here\n");
    await again.close();
    await own.close();
    const last = await ApptainerWorkspace.reattach({ runtimeDir, name: "shared", onClose: "remove" });
    await last.close();
  });

  test("is paused at its end where it should be, and goes on when it is found again", async () => {
    const runtimeDir = runtimeDirectory();
    const first = await startInstance({ runtimeDir, onClose: "pause" });
    const { name, apiKey } = first;
    const { execId } = await first.spawn("for i in 1 2 3; do sleep 0.2; done; echo done");
    await first.close();
    const second = await ApptainerWorkspace.reattach({ runtimeDir, name, apiKey, onClose: "remove" });
    await (await second.attach(execId)).wait();
    await second.close();
  });

  test("takes the server of this program along into an image that has none", async () => {
    const { path: sif } = await smallImage();
    const workspace = await startInstance({ sifFile: sif, bindServer: true, serverFlags: ["--max-running-execs=7"] });
    expect((await workspace.getServerInfo()).limits.maxRunningExecs).toBe(7);
    expect((await workspace.executeCommand("readlink /proc/$PPID/exe")).stdout).toBe("/opt/yonder-bound/node\n");
    const all = await startInstance({ sifFile: sif, bindServer: await portable() });
    expect((await all.executeCommand("readlink /proc/$PPID/exe")).stdout).toBe("/opt/yonder/bin/node\n");
  });

  test.skipIf(nobody === undefined)(
    "is had by any user, who looks like root in it, and leaves nothing either",
    async () => {
      const home = temporary();
      chownSync(home, Number(nobody), Number(nobody));
      const { sifFile } = await instanceOptions();
      const options = {
        sifFile,
        bindServer: true,
        program: engines.program,
        runtimeDir: join(home, "run"),
        healthCheckTimeoutMs: 60_000,
      };
      const said = await asUser(
        nobody,
        home,
        `const workspace = await ApptainerWorkspace.start(${JSON.stringify(options)});
       const { stdout } = await workspace.executeCommand("echo $UID; mkdir -p a/b; echo > a/b/c; chmod 500 a a/b");
       await workspace.pause();
       await workspace.resume();
       await workspace.close();
       console.log(JSON.stringify({ stdout }));`,
      );
      expect(JSON.parse(said)).toEqual({ stdout: "0\n" });
      expect(readdirSync(join(home, "run/apptainer"))).toEqual([]);
      expect(await instancesOf(home)).toEqual([]);
    },
  );

  test("tells the automation service at the end of its scope", async () => {
    const told: unknown[] = [];
    const service = createServer((request, response) => {
      request.on("data", (chunk: Buffer) => void told.push(JSON.parse(chunk.toString())));
      request.on("end", () => response.end());
    });
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    vi.stubEnv("AUTOMATION_CALLBACK_URL", `http://127.0.0.1:${(service.address() as AddressInfo).port}/`);
    vi.stubEnv("AUTOMATION_RUN_ID", undefined);
    onTestFinished(() => {
      vi.unstubAllEnvs();
      service.closeAllConnections();
      service.close();
    });
    const workspace = await startInstance();
    await workspace[Symbol.asyncDispose]();
    expect(told).toEqual([{ status: "COMPLETED" }]);
    await expect(workspace.pause()).rejects.toBeInstanceOf(InvalidState);
  });
});

/** What a program of this user, or of another, prints. */
async function asUser(user: number | undefined, home: string, script: string): Promise<string> {
  const module = fileURLToPath(new URL("../../../client/src/apptainer/apptainer-workspace.ts", import.meta.url));
  const source = `const { ApptainerWorkspace } = await import(${JSON.stringify(module)});\n${script}`;
  const child = spawn(process.execPath, [...nodeArguments, "--input-type=module", "--eval", source], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], HOME: home },
    cwd: home,
    ...(user !== undefined && { uid: user, gid: user }),
  });
  return await text(child.stdout);
}

/** What `docker build --target portable --output DIR .` makes: the server with a Node of its own. */
async function portable(): Promise<string> {
  const { sifFile: image = "" } = await instanceOptions();
  const directory = temporary();
  mkdirSync(join(directory, "opt"));
  await shell("cp", ["-a", join(image, "opt/yonder"), join(directory, "opt/yonder")]);
  rmSync(join(directory, "opt/yonder/bin/node"));
  await shell("cp", [join(image, "usr/local/bin/node"), join(directory, "opt/yonder/bin/node")]);
  return directory;
}

function temporary(): string {
  const path = mkdtempSync(join(tmpdir(), "yonder-bound-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The processes of this machine but this one that have this text in their arguments or environment. */
function seenIn(file: "cmdline" | "environ", text: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
      return readFileSync(`/proc/${pid}/${file}`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}
