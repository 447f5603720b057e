import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EndReason } from "@yonder/proto";
import { describe, expect, onTestFinished, test } from "vitest";
import { ExecServer, execServer, refusal } from "../helpers/exec-server.ts";
import { gone, isAlive } from "../helpers/serve.ts";
import { until } from "../helpers/until.ts";

const server = execServer();

describe("what a command leaves in the background", () => {
  test("does not keep its end waiting, lives on, and can be signalled", async () => {
    const { ended, stdout, started } = await server.run("sleep 1000 & echo $!");
    expect(ended).toMatchObject({ reason: EndReason.EXITED, exitCode: 0 });
    const pid = Number(stdout);
    expect(isAlive(pid)).toBe(true);
    const execId = started?.execId ?? "";
    expect(await server.send(execId, "CONT")).toBe(1);
    expect(isAlive(pid)).toBe(true);
    expect(await server.send(execId, "TERM")).toBe(1);
    await gone(pid);
    expect(await refusal(server.exec.sendSignal({ execId, signal: "TERM" }))).toMatchObject({ reason: "EXEC_ENDED" });
    expect((await server.ended(execId)).ended).toEqual(ended);
  });

  test("prints on: it is counted, does not show, and blocks nobody", async () => {
    const go = join(server.directory, "go");
    execFileSync("mkfifo", [go]);
    // More than any pipe holds.
    const { started, stdout } = await server.run(`(read -r _ < go; head -c 300000 /dev/zero; echo > done) & echo hi`);
    const execId = started?.execId ?? "";
    expect(stdout).toBe("hi\n");
    await writeFile(go, "\n");
    await until(async () => (await server.exec.getExec({ execId })).exec?.backgroundBytes === 300_000n);
    const { exec } = await server.exec.getExec({ execId });
    expect(exec).toMatchObject({ endCursor: 3n, stdoutBytes: 3n });
    expect(exec?.ended?.stdoutBytes).toBe(3n);
    expect((await server.attach(execId, undefined)).stdout).toBe("hi\n");
  });

  test("ends with the server", async () => {
    const own = new ExecServer({});
    onTestFinished(() => own.end());
    await own.start();
    const { stdout } = await own.run("sleep 1000 & setsid sleep 1000 & echo $! $(jobs -p)");
    const pids = stdout.trim().split(" ").map(Number);
    expect(pids.map(isAlive)).toEqual(pids.map(() => true));
    await own.served.stop();
    expect(pids.map(isAlive)).toEqual(pids.map(() => false));
  });
});
