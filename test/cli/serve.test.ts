import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ExecService, WorkspaceService } from "@yonder/proto";
import { ServerReflection } from "@yonder/proto/grpc/reflection/v1/reflection";
import { describe, expect, onTestFinished, test } from "vitest";
import { patient } from "../helpers/time.ts";
import { entries } from "../../server/src/config/read-settings.ts";
import { variableOf } from "../../server/src/config/settings.ts";
import { temporaryDirectory } from "../helpers/certificates.ts";
import { collect, iterate } from "../helpers/collect.ts";
import { pipeYonder, runYonder } from "../helpers/yonder.ts";
import type { Yonder } from "../helpers/yonder.ts";

const key = "correct-horse-battery";

function clientFor(url: string, apiKey?: string) {
  const transport = createGrpcTransport({
    baseUrl: url,
    interceptors: [
      (next) => (request) => {
        if (apiKey !== undefined) request.header.set("x-api-key", apiKey);
        return next(request);
      },
    ],
  });
  return { workspace: createClient(WorkspaceService, transport), exec: createClient(ExecService, transport) };
}

function serve(args: readonly string[] = [], environment: Record<string, string> = {}): Yonder {
  return runYonder(["serve", "--port", "0", ...args], environment);
}

describe("starting", () => {
  test("it prints one line when it is ready, with the port that it picked, and serves", async () => {
    const directory = await temporaryDirectory();
    const yonder = serve(["--working-directory", directory, "--label", "role=test"]);
    const url = await yonder.listening();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(yonder.stdout()).toBe(`yonder is listening on ${url}\n`);
    const info = await clientFor(url).workspace.getInfo({});
    expect(info).toMatchObject({ workingDirectory: directory, labels: { role: "test" } });
  });

  test("settings come from variables, and a flag goes before them", async () => {
    const yonder = serve([], {
      YONDER_SERVER_PORT: "1",
      YONDER_SERVER_MAX_READERS: "7",
      YONDER_SERVER_LABEL: "a=1,b=2",
    });
    const info = await clientFor(await yonder.listening()).workspace.getInfo({});
    expect(info.limits?.maxReaders).toBe(7);
    expect(info.labels).toEqual({ a: "1", b: "2" });
  });

  test("the workspace keeps its id over restarts, the instance does not", async () => {
    const state = join(await temporaryDirectory(), "state");
    const identify = async () => {
      const yonder = serve(["--state-directory", state]);
      const { workspaceId, instanceId } = await clientFor(await yonder.listening()).workspace.getInfo({});
      yonder.kill("SIGTERM");
      expect(await yonder.exited).toBe(0);
      return { workspaceId, instanceId };
    };
    const [first, second] = [await identify(), await identify()];
    expect(second.workspaceId).toBe(first.workspaceId);
    expect(second.instanceId).not.toBe(first.instanceId);
  });

  test("help has every setting", async () => {
    const yonder = runYonder(["serve", "--help"]);
    expect(await yonder.exited).toBe(0);
    for (const [, setting] of entries()) expect(yonder.stdout()).toContain(`--${setting.flag} `);
  });
});

describe("refusing to start", () => {
  const refusals: [string, string[], Record<string, string>, RegExp][] = [
    [
      "on a public address without a key",
      ["--host", "0.0.0.0", "--allow-cleartext"],
      {},
      /without a key[^]*--api-key-file/,
    ],
    [
      "on a public address without TLS",
      ["--host", "0.0.0.0"],
      { YONDER_SERVER_API_KEY: key },
      /without TLS[^]*--allow-cleartext/,
    ],
    ["with an unknown flag", ["--prot", "1"], {}, /unknown option '--prot'[^]*Did you mean --port/],
    [
      "with an unknown variable",
      [],
      { YONDER_SERVER_PROT: "1" },
      /no variable YONDER_SERVER_PROT; is YONDER_SERVER_PORT meant/,
    ],
    ["with an argument that is no flag", ["somewhere"], {}, /too many arguments/],
    ["with a value out of range", ["--max-readers", "0"], {}, /--max-readers cannot be "0": it lies in the range 1 to/],
    ["with a key that is too short", [], { YONDER_SERVER_API_KEYS: "short" }, /at least 16 characters/],
    [
      "with a working directory that is not there",
      ["--working-directory", "/nonexistent"],
      {},
      /\/nonexistent does not exist/,
    ],
    [
      "with a certificate that is not there",
      ["--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"],
      {},
      /^yonder serve: The TLS file \/nonexistent cannot be read: ENOENT/,
    ],
  ];

  test.each(refusals)("%s", async (_what, args, environment, message) => {
    const yonder = serve(args, environment);
    expect(await yonder.exited).toBe(2);
    expect(yonder.stderr()).toMatch(message);
    expect(yonder.stdout()).toBe("");
  });

  test("at an address where something listens", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const environment = { XDG_STATE_HOME: await temporaryDirectory() };
    const yonder = runYonder(["serve", "--port", String(port)], environment);
    expect(await yonder.exited).toBe(2);
    expect(yonder.stderr()).toContain(`Something listens on 127.0.0.1:${port} already; give another --port`);
    const forHealth = runYonder(["serve", "--port", "0", "--health-port", String(port)], environment);
    expect(await forHealth.exited).toBe(2);
    expect(forHealth.stderr()).toContain(`127.0.0.1:${port} already; give another --health-port`);
  });

  test("over a state directory that another server uses", async () => {
    const state = join(await temporaryDirectory(), "state");
    await serve(["--state-directory", state]).listening();
    const second = serve(["--state-directory", state]);
    expect(await second.exited).toBe(2);
    expect(second.stderr()).toContain(`The state directory ${state} is in use by another server`);
  });
});

describe("stopping", () => {
  const endless = { program: { case: "command", value: "echo begun; sleep 300" } } as const;

  test.each(["SIGTERM", "SIGINT"] as const)("%s ends what runs, tells its readers and exits with 0", async (signal) => {
    const yonder = serve();
    const { exec } = clientFor(await yonder.listening());
    const events = iterate(exec.exec(endless));
    const started = (await events.next()).value;
    yonder.kill(signal);
    const rest = await collect({ [Symbol.asyncIterator]: () => events });
    expect(started).toMatchObject({ event: { event: { case: "started" } } });
    expect(rest.at(-1)).toMatchObject({ event: { event: { case: "ended" } } });
    expect(await yonder.exited).toBe(0);
  });

  test("with --on-stop leave, what runs is left running", async () => {
    const yonder = serve(["--on-stop", "leave"]);
    const { exec } = clientFor(await yonder.listening());
    const started = await exec.startExec({ exec: { program: { case: "command", value: "exec sleep 300" } } });
    const pid = started.exec?.pid ?? 0;
    onTestFinished(() => void process.kill(pid, "SIGKILL"));
    yonder.kill("SIGTERM");
    expect(await yonder.exited).toBe(0);
    // The shell may have to become it still.
    await expect.poll(() => readFileSync(`/proc/${pid}/comm`, "utf8"), patient).toBe("sleep\n");
  });

  test("with --stop-with-stdin it ends with whoever started it, and leaves neither commands nor state", async () => {
    const scratch = await temporaryDirectory();
    const yonder = pipeYonder(["serve", "--port", "0", "--stop-with-stdin"], { TMPDIR: scratch });
    const [line] = (await once(yonder.stdout, "data")) as [Buffer];
    const { exec } = clientFor(/http:\S+/.exec(line.toString())?.[0] ?? "");
    const { exec: started } = await exec.startExec({ exec: { program: { case: "command", value: "exec sleep 300" } } });
    expect(await readdir(scratch)).not.toEqual([]);
    // As where the other end of all three pipes is killed.
    for (const pipe of [yonder.stdout, yonder.stderr, yonder.stdin]) pipe.destroy();
    expect(await yonder.exited).toBe(0);
    expect(existsSync(`/proc/${started?.pid}`)).toBe(false);
    expect(await readdir(scratch)).toEqual([]);
  });

  test("a second signal ends it at once", async () => {
    const yonder = serve(["--drain-timeout", "1h"]);
    // A stream that its client does not end, which the drain waits for.
    const { promise: held } = Promise.withResolvers<void>();
    async function* requests() {
      yield { messageRequest: { case: "listServices", value: "" } } as const;
      await held;
    }
    const reflection = createClient(ServerReflection, createGrpcTransport({ baseUrl: await yonder.listening() }));
    await iterate(reflection.serverReflectionInfo(requests())).next();
    yonder.kill("SIGTERM");
    await expect.poll(() => yonder.stderr(), patient).toContain('"stopping"');
    yonder.kill("SIGINT");
    expect(await yonder.exited).toBe(1);
  });
});

describe("keys", () => {
  test("keys from variables let in, several at once, plain or as digests", async () => {
    const digest = "sha256:9f2feb0f1ef425b292f2f94bc8482494df430413a6a5fd86b9c8b4e7e8a8bd4e";
    const yonder = serve([], {
      YONDER_SERVER_API_KEYS: `${key},${digest}`,
      YONDER_SERVER_API_KEY: "another-key-entirely",
    });
    const url = await yonder.listening();
    await clientFor(url, key).workspace.getInfo({});
    await clientFor(url, "another-key-entirely").workspace.getInfo({});
    await expect(clientFor(url).workspace.getInfo({})).rejects.toMatchObject({ code: 16 });
    await expect(clientFor(url, digest).workspace.getInfo({})).rejects.toMatchObject({ code: 16 });
  });

  // Before Node 22.15 a process cannot start itself again in its own place; then the log warns.
  test.runIf("execve" in process)(
    "a plain key from a variable is nowhere in the server's own environment",
    async () => {
      const yonder = serve([], { YONDER_SERVER_API_KEY: key });
      const url = await yonder.listening();
      await clientFor(url, key).workspace.getInfo({});
      const environment = readFileSync(`/proc/${yonder.pid}/environ`, "utf8");
      expect(environment).not.toContain(key);
      expect(environment).toContain("YONDER_SERVER_API_KEYS=sha256:");
      expect(yonder.stderr()).not.toContain("Warning");
    },
  );

  test.runIf("execve" in process)("no environment that a command can read holds a key", async () => {
    const yonder = serve([], { YONDER_SERVER_API_KEY: key });
    const { exec } = clientFor(await yonder.listening(), key);
    // In two parts, so that the search does not find itself.
    const search = `cat /proc/self/environ /proc/$PPID/environ /proc/${yonder.pid}/environ | grep -c "correct-horse""-battery"`;
    const events = await collect(exec.exec({ program: { case: "command", value: `${search}; true` } }));
    const output = events
      .map(({ event }) => event?.event)
      .map((event) => (event?.case === "output" ? Buffer.from(event.value.data).toString() : ""));
    expect(output.join("").trim()).toBe("0");
  });

  test("neither key nor digest is told in help, log or refusals", async () => {
    const file = join(await temporaryDirectory(), "keys");
    await writeFile(file, `${key}\n`);
    const yonder = serve(["--api-key-file", file, "--log-level", "debug"]);
    const url = await yonder.listening();
    await clientFor(url, key).workspace.getInfo({});
    await clientFor(url, `${key}-wrong`)
      .workspace.getInfo({})
      .catch(() => {});
    yonder.kill("SIGTERM");
    await yonder.exited;
    expect(yonder.stderr()).toContain("GetInfo");
    expect(yonder.stderr() + yonder.stdout()).not.toContain(key);
  });
});

test("yonder key makes a key and the digest that lets it in", async () => {
  const made = runYonder(["key"]);
  expect(await made.exited).toBe(0);
  const [fresh = "", digest = ""] = made.stdout().split("\n");
  const yonder = serve([], { YONDER_SERVER_API_KEYS: digest });
  await clientFor(await yonder.listening(), fresh).workspace.getInfo({});
});

test("yonder has help, a version, and no verb that it does not know", async () => {
  const help = runYonder(["--help"]);
  expect(await help.exited).toBe(0);
  expect(help.stdout()).toMatch(/serve +Serve a workspace/);
  const version = runYonder(["--version"]);
  expect(await version.exited).toBe(0);
  expect(version.stdout()).toMatch(/^\d+\.\d+\.\d+/);
  const unknown = runYonder(["sevre"]);
  expect(await unknown.exited).toBe(2);
  expect(unknown.stderr()).toMatch(/unknown command 'sevre'[^]*serve/);
});

test("on a Node that is too old the command says which it needs", () => {
  const bin = fileURLToPath(new URL("../../cli/bin/yonder.js", import.meta.url));
  const { engines } = JSON.parse(readFileSync(new URL("../../cli/package.json", import.meta.url), "utf8")) as {
    engines: { node: string };
  };
  const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.12.9" } })`;
  const { status, stderr } = spawnSync(process.execPath, [`--import=data:text/javascript,${older}`, bin, "serve"], {
    encoding: "utf8",
  });
  const oldest = engines.node.replace(">=", "");
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `yonder: Node ${oldest} or newer is needed, and this is 22.12.9\n`,
  });
});

test("variables are named after their flags", () => {
  expect(variableOf({ flag: "max-readers" })).toBe("YONDER_SERVER_MAX_READERS");
});
