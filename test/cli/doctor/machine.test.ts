import { spawn, spawnSync } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startServer } from "../../../server/src/index.ts";
import { temporaryDirectory } from "../../helpers/certificates.ts";
import { diagnose } from "../../helpers/diagnose.ts";
import { skipUnless, tmuxProgram } from "../../helpers/programs.ts";
import { serve } from "../../helpers/serve.ts";
import { tmux } from "../../helpers/tmux.ts";
import { command, runYonder } from "../../helpers/yonder.ts";

/** Shifts the clock of the process that it is loaded into, and takes ripgrep from it. */
const shifted = (ms: number) => `
  import Module from "node:module";
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given) { given.length === 0 ? super(Real.now() + ${ms}) : super(...given); }
    static now() { return Real.now() + ${ms}; }
  };
  const resolve = Module._resolveFilename;
  Module._resolveFilename = (name, ...rest) => {
    if (name.startsWith("@vscode/ripgrep")) throw Object.assign(new Error("no " + name), { code: "MODULE_NOT_FOUND" });
    return resolve(name, ...rest);
  };`;

test("what the server's machine lacks is told with the way to have it, and nothing of it has failed", async () => {
  const programs = await temporaryDirectory();
  for (const name of ["bash", "sh", "cat", "mkfifo"]) await symlink(pathOf(name), join(programs, name));
  const preload = `data:text/javascript,${encodeURIComponent(shifted(-3_600_000))}`;
  const server = await serve({ env: { PATH: programs, NODE_OPTIONS: `--no-addons --import=${preload}` } });
  const found = await diagnose(server.url, { machine: true });

  const clock = found.of("clock");
  expect(clock).toMatchObject({
    status: "warning",
    detail: expect.stringMatching(/is (1h|59m 59s|59m \d+s).* behind/) as string,
  });
  expect(clock.remedy).toContain("timedatectl");
  const terminal = found.of("terminal");
  expect(terminal).toMatchObject({
    status: "warning",
    detail: expect.stringContaining("node-pty cannot be loaded") as string,
  });
  expect(terminal.remedy).toContain("npm rebuild node-pty");
  const git = found.of("git");
  expect(git).toMatchObject({ status: "warning", detail: expect.stringContaining(`PATH, "${programs}"`) as string });
  expect(git.remedy).toContain("apt-get install -y git");
  expect(found.of("ripgrep")).toMatchObject({
    status: "warning",
    remedy: expect.stringContaining("@vscode/ripgrep") as string,
  });
  expect(found.findings.filter(({ status }) => status === "failed")).toEqual([]);
});

const cannot =
  spawnSync("unshare", [...namespaces(), "sh", "-c", "echo 5 > /proc/sys/user/max_inotify_watches"]).status !== 0;
if (cannot)
  skipUnless(
    undefined,
    "the doctor in a container of its own",
    "namespaces need root, or kernel.unprivileged_userns_clone=1",
  );

test.skipIf(cannot)("a container's first process, its inotify and its disk are told where they do not do", async () => {
  const directory = await temporaryDirectory();
  const state = join(directory, "state");
  await mkdir(state);
  const url = await serveInNamespaces(
    directory,
    "echo 7 > /proc/sys/user/max_inotify_watches",
    `mount -t tmpfs -o size=8m,mode=700 tmpfs ${state}`,
  );
  const found = await diagnose(url, { machine: true });
  const orphans = found.of("orphans");
  expect(orphans).toMatchObject({ status: "warning", detail: expect.stringContaining("process 1 (") as string });
  expect(orphans.remedy).toContain("docker run --init");
  const watching = found.of("watching");
  expect(watching).toMatchObject({
    status: "warning",
    detail: expect.stringContaining("watches 7 directories") as string,
  });
  expect(watching.remedy).toContain("sysctl -w fs.inotify.max_user_watches");
  const disk = found.of("disk");
  expect(disk).toMatchObject({
    status: "failed",
    detail: expect.stringMatching(/of 8(\.0)?MiB are free at/) as string,
  });
  expect(disk.detail).toContain(state);
  expect(disk.remedy).toContain("--state-directory");
});

test.skipIf(cannot)(
  "a kernel that watches nothing more is told; a first process that does its duty is fine",
  async () => {
    const directory = await temporaryDirectory();
    const url = await serveInNamespaces(
      directory,
      "echo 0 > /proc/sys/user/max_inotify_instances",
      "trap : TERM; wait_for=yes",
    );
    const found = await diagnose(url, { machine: true });
    expect(found.of("watching")).toMatchObject({
      status: "warning",
      detail: expect.stringContaining("nothing can be watched there now") as string,
    });
    // bash, which the script makes the first process, collects orphans.
    expect(found.of("orphans")).toMatchObject({
      status: "ok",
      detail: expect.stringContaining("process 1 (bash)") as string,
    });
  },
);

const address = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === "IPv4" && !each.internal)?.address;

test.skipIf(address === undefined)("a server without a key that others can reach is a warning", async () => {
  const server = await startServer({ host: "0.0.0.0", port: 0, noAuth: true, allowCleartext: true });
  onTestFinished(() => server.close({ graceMs: 0 }));
  const key = (await diagnose(`http://${address}:${server.port}`)).of("key");
  expect(key).toMatchObject({ status: "warning", detail: expect.stringContaining("can run commands") as string });
  expect(key.remedy).toContain("yonder key");
});

test("the command says a line a step with the remedy below, or an object a line, and ends with 1 where something failed", async () => {
  const server = await serve();
  const [fine, json, shut] = [
    runYonder(["doctor", "--idle", "10ms"], { YONDER_HOST: server.url }),
    runYonder(["doctor", "--json", "--idle", "0", "--host", server.url]),
    runYonder(["doctor", "--host", "http://127.0.0.1:1"]),
  ];
  expect(await fine.exited).toBe(0);
  const [head, ...lines] = fine.stdout().trimEnd().split("\n");
  expect(head).toBe(`${server.url} (YONDER_HOST)`);
  for (const line of lines) expect(line).toMatch(/^(ok|warning|skipped) +[a-z]+ +\S|^ +→ \S/);
  expect(fine.stdout()).toContain("ok       idle      a stream is left alone for 10ms of silence\n");

  expect(await json.exited).toBe(0);
  const findings = json
    .stdout()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const finding of findings) expect(Object.keys(finding)).toEqual(["step", "status", "detail", "remedy"]);
  const steps = new Set(findings.map(({ step }) => step));
  for (const step of [
    "name",
    "port",
    "tls",
    "http",
    "key",
    "version",
    "clock",
    "idle",
    "terminal",
    "git",
    "ripgrep",
    "watching",
    "orphans",
    "disk",
  ]) {
    expect(steps).toContain(step);
  }

  expect(await shut.exited).toBe(1);
  expect(shut.stdout()).toMatch(/^failed {3}port {6}port 1 is not open.*\n {19}→ Start the server there/m);
  expect(shut.stderr()).toBe("");
});

const noTmux = skipUnless(tmuxProgram, "the doctor on a terminal", "apt-get install -y tmux");

test.skipIf(noTmux)("on a terminal it says what it waits for, for as long as it waits", async () => {
  const server = await serve();
  const terminal = await tmux({ YONDER_HOST: server.url });
  await terminal.resize(200, 50);
  await terminal.enter("yonder doctor --idle 5s; echo ended $?");
  await terminal.shows("watching a silent stream for 5s …");
  await terminal.shows("ended 0");
  const screen = await terminal.screen();
  expect(screen).not.toContain("watching a silent stream");
  expect(screen).toMatch(/^ok +idle +a stream is left alone for 5s of silence$/m);
});

/** The command line of a process that is alone with its own users, processes and mounts; the first one in them is a shell. */
function namespaces(): string[] {
  return ["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount"];
}

/** Serves there, after what the script does; resolves to the URL. */
async function serveInNamespaces(directory: string, ...script: string[]): Promise<string> {
  const isInit = script.some((line) => line.includes("wait_for"));
  const server = [process.execPath, ...command, "serve", "--port=0", `--working-directory=${directory}`];
  const quoted = [...server, `--state-directory=${join(directory, "state")}`].map((part) => `'${part}'`).join(" ");
  const last = isInit ? `${quoted} & wait` : `exec ${quoted}`;
  const child = spawn("unshare", [...namespaces(), "bash", "-c", [...script, last].join("\n")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = new Promise((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  let text = "";
  return await new Promise((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const [, url] = /listening on (\S+)\n/.exec(text) ?? [];
      if (url !== undefined) resolve(url);
    });
    void exited.then(() => reject(new Error(`the server ended: ${text}`)));
  });
}

function pathOf(program: string): string {
  return spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();
}
