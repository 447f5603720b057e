import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { constants, readFileSync } from "node:fs";
import { buffer, text } from "node:stream/consumers";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { RemoteWorkspace } from "../../client/src/index.ts";
import { startProxy } from "../helpers/proxy.ts";
import { serve } from "../helpers/serve.ts";
import type { ServedWorkspace } from "../helpers/serve.ts";
import { openShell } from "../helpers/shell.ts";
import { until } from "../helpers/until.ts";
import { connect } from "../helpers/workspaces.ts";
import { command, pipeYonder, yonderEnvironment } from "../helpers/yonder.ts";

let server: ServedWorkspace;
let workspace: RemoteWorkspace;

beforeEach(async () => {
  server = await serve();
  workspace = await connect({ host: server.url });
});

function exec(...args: string[]) {
  return pipeYonder(["exec", ...args], { YONDER_HOST: server.url });
}

/** What it printed and how it ended, with an empty standard input. */
async function run(...args: string[]) {
  const yonder = exec(...args);
  yonder.stdin.end();
  const [stdout, stderr, exitCode] = await Promise.all([text(yonder.stdout), text(yonder.stderr), yonder.exited]);
  return { stdout, stderr, exitCode };
}

/** Of an id that was chosen: once the command runs. */
async function running(id: string) {
  await until(async () => (await workspace.execs({ state: "running" })).some(({ execId }) => execId === id));
  return await workspace.attach(id);
}

describe("how it ends", () => {
  test("the exit code is the command's own, 128+N for a signal, 124 for a timeout, 126 and 127 for what cannot be run, 255 and 2 for what is ours", async () => {
    const ends = await Promise.all([
      run("true"),
      run("-c", "exit 3"),
      run("-c", "exit 255"),
      run("-c", "kill -9 $$"),
      run("-c", "kill -TERM $$"),
      run("--timeout", "100ms", "sleep", "60"),
      run("--idle-timeout", "100ms", "sleep", "60"),
      run("no-such-program"),
      run("/etc/passwd"),
      run("-d", "no such program"),
      run("-w", "no-such-directory", "true"),
      run("--timeout", "soon", "true"),
      run(),
      run("-c", "true", "extra"),
    ]);
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 3, 255, 137, 143, 124, 124, 127, 126, 127, 255, 2, 2, 2]);
    expect(ends.map(({ stderr }) => stderr.split("\n").length - 1)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(ends[5]?.stderr).toBe("yonder: the command was ended: timed out\n");
    expect(ends[7]?.stderr).toMatch(/^yonder: there is no program "no-such-program"/);
  });

  test("words are run as they are; one that wants a shell says how to have one", async () => {
    const [asTheyAre, options, shell, mistaken] = await Promise.all([
      run("printf", "[%s]", "a b", "$HOME", "*", ""),
      run("--", "printf", "%s", "--help"),
      run("-c", "echo $((1+1)) | cat"),
      run("echo $HOME"),
    ]);
    expect(asTheyAre.stdout).toBe("[a b][$HOME][*][]");
    expect(options.stdout).toBe("--help");
    expect(shell.stdout).toBe("2\n");
    expect(mistaken).toMatchObject({ exitCode: 127, stderr: expect.stringContaining("put -c before it") as string });
  });

  test("bytes that are not UTF-8 are refused, instead of something else being run", async () => {
    const script = `exec "$0" "$@" $'\\xff'`;
    const words = [process.execPath, ...command, "exec", "-d"];
    for (const more of [["echo"], ["-c"]]) {
      const shell = spawn("bash", ["-c", script, ...words, ...more], {
        env: yonderEnvironment({ YONDER_HOST: server.url }),
      });
      expect(await text(shell.stderr)).toMatch(/^yonder: ".*" is not UTF-8, as commands must be: .*\n$/);
      expect(await workspace.execs()).toEqual([]);
    }
  });

  test("what is wrong is told in the words of the command line", async () => {
    const [directory, program, wire] = await Promise.all([
      run("-w", "nowhere", "true"),
      run(""),
      run("--protocol", "grpc", "--http-version", "1.1", "true"),
    ]);
    expect(directory.stderr).toMatch(/^yonder: there is no directory ".*\/nowhere"; .* choose another with --cwd\n$/);
    expect(program.stderr).toBe("yonder: the first word, which names the program, is empty\n");
    expect(wire.stderr).toMatch(/^yonder: --http-version must be "2" for protocol "grpc"; .*\n$/);
  });

  test("options reach the command", async () => {
    const script = 'pwd; echo "$A" "${NOT_SET_HERE-unset}"; ulimit -n; echo "$PATH"';
    const options = "--id one -w / -e A=1=2 -e NOT_SET_HERE -e PATH -l role=dev --limit open-files=77".split(" ");
    const ran = await run(...options, "-c", script);
    expect(ran).toEqual({ stdout: `/\n1=2 unset\n77\n${process.env["PATH"]}\n`, stderr: "", exitCode: 0 });
    expect(await workspace.execs({ labels: { role: "dev" } })).toMatchObject([{ execId: "one" }]);
  });
});

describe("its streams", () => {
  test("bytes come out as they are, each stream apart", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const yonder = exec("-c", "tee /dev/stderr | rev | rev; cat >/dev/null");
    const all = Buffer.concat(Array.from({ length: 400 }, () => bytes));
    const echo = exec("-c", "tee /dev/stderr");
    echo.stdin.end(all);
    yonder.stdin.end();
    const [stdout, stderr, exitCode] = await Promise.all([buffer(echo.stdout), buffer(echo.stderr), echo.exited]);
    expect(stdout.equals(all)).toBe(true);
    expect(stderr.equals(all)).toBe(true);
    expect(exitCode).toBe(0);
    expect(await yonder.exited).toBe(0);
  });

  test("standard input goes on as it comes, and its end too", async () => {
    const yonder = exec("-c", "while read -r line; do echo got $line; done; echo end");
    yonder.stdin.write("one\n");
    expect(String(await once(yonder.stdout, "data"))).toBe("got one\n");
    yonder.stdin.write("two\n");
    expect(String(await once(yonder.stdout, "data"))).toBe("got two\n");
    yonder.stdin.end();
    expect(await text(yonder.stdout)).toBe("end\n");
    expect(await yonder.exited).toBe(0);
  });

  test("a command that reads no further is no failure, and one without input sees its end at once", async () => {
    const reader = exec("head", "-c", "3");
    reader.stdin.write("abcdef");
    expect(await text(reader.stdout)).toBe("abc");
    expect(await reader.exited).toBe(0);
    const without = exec("-n", "cat");
    expect(await text(without.stdout)).toBe("");
    expect(await without.exited).toBe(0);
  });

  test("large output goes through whole at the pace of its reader, in little memory", async () => {
    const yonder = exec("-n", "-c", "head -c 100000000 /dev/zero");
    await once(yonder.stdout, "readable");
    // The reader stands still until the command stands still, too: what is on its way is all that is held.
    const handle = (await workspace.execs({ state: "running" }))[0];
    await until(async () => {
      const printed = async () => (await (await workspace.attach(handle?.execId ?? "")).info()).stdoutBytes;
      const before = await printed();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return before > 0 && before === (await printed());
    });
    const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${yonder.pid}/status`, "utf8")) ?? [];
    let size = 0;
    yonder.stdout.on("data", (chunk: Buffer) => (size += chunk.length));
    expect(await yonder.exited).toBe(0);
    expect(size).toBe(100_000_000);
    expect(Number(peak)).toBeLessThan(250_000);
  });

  test("input and output arrive once and whole over a connection that is cut again and again", async () => {
    let cuts = 4;
    const proxy = await startProxy({ target: server.url, cutAfterBytes: () => (cuts-- > 0 ? 300_000 : Infinity) });
    onTestFinished(() => proxy.close());
    const yonder = pipeYonder(["exec", "cat"], { YONDER_HOST: proxy.url });
    const all = randomBytes(2_000_000);
    yonder.stdin.end(all);
    const [stdout, exitCode] = await Promise.all([buffer(yonder.stdout), yonder.exited]);
    expect([stdout.equals(all), exitCode]).toEqual([true, 0]);
    expect(proxy.cuts).toBeGreaterThan(1);
  });

  test("a pipe that others write to as well stays as they have it", async () => {
    const words = [process.execPath, ...command, "exec", "-n", "--id", "shared", "sleep", "60"];
    const shell = spawn("sh", ["-c", '{ "$@" & echo $!; wait; } 2>&1 | cat', "sh", ...words], {
      stdio: ["ignore", "pipe", "inherit"],
      env: yonderEnvironment({ YONDER_HOST: server.url }),
    });
    const pid = Number(String(await once(shell.stdout, "data")));
    const handle = await running("shared");
    for (const fd of [1, 2]) {
      const [, flags] = /^flags:\s+0*([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8")) ?? [];
      expect(Number.parseInt(flags ?? "", 8) & constants.O_NONBLOCK).toBe(0);
    }
    // It may be over before the reply to the signal is here.
    await Promise.all([once(shell, "close"), handle.kill()]);
  });

  test("when nobody reads the output any more, command and program end as by SIGPIPE", async () => {
    const yonder = exec("--id", "endless", "yes");
    await once(yonder.stdout, "data");
    yonder.stdout.destroy();
    expect(await yonder.exited).toBe(141);
    expect(await (await workspace.attach("endless")).wait()).toMatchObject({ signal: "SIGPIPE" });
  });
});

test("a full disk here loses nothing there, and the way back is told", async () => {
  const shell = await openShell(server.url);
  const { code, stderr } = await shell.run("yonder exec --id kept -c 'echo kept; exec sleep 60' > /dev/full");
  expect(code).toBe(255);
  expect(stderr).toMatch(
    /^yonder: cannot write to standard output: no space left on device; .*`yonder logs kept`.*\n$/,
  );
  const handle = await running("kept");
  expect((await handle.output()).text).toBe("kept\n");
  await handle.kill();
});

describe("signals", () => {
  test.for(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1"] as const)("%s reaches the command", async (signal) => {
    const yonder = exec(
      "--id",
      "caught",
      "-c",
      `trap 'echo got it; exit 7' ${signal.slice(3)}; echo up; sleep 60 & wait`,
    );
    expect(String(await once(yonder.stdout, "data"))).toBe("up\n");
    yonder.kill(signal);
    expect(await text(yonder.stdout)).toBe("got it\n");
    expect(await yonder.exited).toBe(7);
  });

  test("Ctrl-C ends the command, and the exit code says so", async () => {
    const yonder = exec("--id", "interrupted", "sleep", "60");
    await running("interrupted");
    yonder.kill("SIGINT");
    expect(await yonder.exited).toBe(130);
  });

  test("a second Ctrl-C leaves a command that does not end, and says how to come back", async () => {
    const yonder = exec("--id", "stubborn", "-c", "trap 'echo no' INT; echo up; while :; do sleep 0.05; done");
    const stderr = text(yonder.stderr);
    expect(String(await once(yonder.stdout, "data"))).toBe("up\n");
    yonder.kill("SIGINT");
    expect(String(await once(yonder.stdout, "data"))).toBe("no\n");
    yonder.kill("SIGINT");
    expect(await yonder.exited).toBe(255);
    expect(await stderr).toContain("yonder attach stubborn");
    const handle = await workspace.attach("stubborn");
    expect((await handle.info()).state).toBe("running");
    await handle.kill("SIGKILL");
    await handle.wait();
  });

  test("kill -9 of the program leaves the command running, for attach to come back to", async () => {
    const yonder = exec("--id", "orphan", "-c", "echo before; read -r line; echo after $line; exit 5");
    expect(String(await once(yonder.stdout, "data"))).toBe("before\n");
    yonder.kill("SIGKILL");
    expect(await yonder.exited).toBe("SIGKILL");
    const again = pipeYonder(["attach", "orphan"], { YONDER_HOST: server.url });
    again.stdin.write("all\n");
    expect(await text(again.stdout)).toBe("before\nafter all\n");
    expect(await again.exited).toBe(5);
  });
});

test("--detach prints the id and leaves; the same id and command joins", async () => {
  const detached = await run("-d", "--id", "job", "-c", "sleep 0.2; echo done");
  expect(detached).toEqual({ stdout: "job\n", stderr: "", exitCode: 0 });
  expect(await run("-n", "--id", "job", "-c", "sleep 0.2; echo done")).toEqual({
    stdout: "done\n",
    stderr: "",
    exitCode: 0,
  });
  expect(await run("-n", "--id", "job", "echo", "other")).toMatchObject({ exitCode: 255 });
  const made = await run("-d", "true");
  expect(made.stdout).toMatch(/^[\w-]{36}\n$/);
});

test("neither the key nor the command's input is in anybody's process list", async () => {
  const yonder = pipeYonder(["exec", "--id", "listed", "cat"], {
    YONDER_HOST: server.url,
    YONDER_API_KEY: "very-secret",
  });
  yonder.stdin.write("also-secret\n");
  await once(yonder.stdout, "data");
  const cmdline = readFileSync(`/proc/${yonder.pid}/cmdline`, "utf8");
  expect(cmdline).toContain("listed");
  expect(cmdline).not.toContain("secret");
  yonder.stdin.end();
  expect(await yonder.exited).toBe(0);
});
