import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { until } from "../../../helpers/until.ts";
import { useLauncher } from "../../../fixtures/processes/launching.ts";

const build = fileURLToPath(new URL("../../../../server/native/build.mjs", import.meta.url));
const server = createRequire(new URL("../../../../server/src/index.ts", import.meta.url));

describe("posix_spawn", () => {
  const { launch, run } = useLauncher();

  it("is there where the machine has a C compiler", () => {
    execFileSync("cc", ["--version"]);
    execFileSync(process.execPath, [build]);
    expect(Object.keys(server("@yonder/server/posix-spawn") as object)).toEqual([
      "spawn",
      "reap",
      "pipe",
      "resizePipe",
    ]);
  });

  it("gives a process no signal to begin with that is ignored or blocked", async () => {
    const { stdout } = await run({ args: ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"] });
    expect(stdout.match(/\b0{16}\b/g)).toHaveLength(2);
  });

  it("tells of a real-time signal by its name, whoever sent it", async () => {
    expect(await run("kill -35 $$")).toMatchObject({ exitCode: undefined, signal: "SIGRTMIN+1" });
  });

  it("lets the pipe of a command that prints much hold more", async () => {
    const printed = 32 * 1024 * 1024;
    const line = `head -c ${printed} /dev/zero; read -r; dd if=/dev/zero bs=4096 count=1024 oflag=nonblock`;
    const { process: started, stdout, stderr, ended } = await launch(line, { stdin: true });
    // A reader that is busy with other things finds the pipe full.
    const busy = setInterval(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2), 1);
    await until(() => stdout().length === printed).finally(() => clearInterval(busy));
    // From now on it can print no more than what the pipe holds.
    started.outputs[0]?.pause();
    await started.input?.write(Buffer.from("go\n"));
    await until(() => stderr().includes("records out"));
    started.outputs[0]?.resume();
    expect((await ended).stdout.length - printed).toBeGreaterThan(512 * 1024);
  });

  it("hears of an end although somebody took the handler of SIGCHLD away", async () => {
    const { process: started, ended } = await launch("sleep 300");
    process.removeAllListeners("SIGCHLD");
    await started.endTree(0);
    expect((await ended).signal).toBe("SIGKILL");
  });

  it("listens for ends no longer than something runs", async () => {
    const { process: started, ended } = await launch("sleep 300");
    expect(process.listenerCount("SIGCHLD")).toBe(1);
    await started.endTree(0);
    await ended;
    await until(() => process.listenerCount("SIGCHLD") === 0);
    expect((await run("exit 3")).exitCode).toBe(3);
  });
});
