import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ApptainerWorkspace } from "../../../client/src/apptainer/apptainer-workspace.ts";
import type { ApptainerWorkspaceOptions } from "../../../client/src/apptainer/apptainer-workspace.ts";
import {
  AbortError,
  AlreadyExists,
  ConnectionLost,
  InvalidRequest,
  LimitExceeded,
  NotFound,
  PermissionDenied,
  StartFailed,
  Unavailable,
} from "../../../client/src/index.ts";
import {
  engines,
  instanceOptions,
  instancesOf,
  runtimeDirectory,
  smallImage,
  startInstance,
} from "../../helpers/engines/instances.ts";
import { shell, works } from "../../helpers/engines/shell.ts";
import { nodeArguments } from "../../helpers/serve.ts";
import { until } from "../../helpers/until.ts";

describe.skipIf(!engines.available)("a bad day with Apptainer:", () => {
  test("there is no Apptainer", async () => {
    const error = await failure({ program: "/nowhere/apptainer" });
    expect(error).toBeInstanceOf(Unavailable);
    expect(error).toMatchObject({ reason: "ENGINE_MISSING", subject: "/nowhere/apptainer" });
    expect(error.remedy).toContain("install");
  });

  test("an option makes no sense, or names what is not there", async () => {
    const cases: [ApptainerWorkspaceOptions, string][] = [
      [{ sifFile: undefined }, "serverImage"],
      [{ sifFile: "/", serverImage: "debian" }, "serverImage"],
      [{ workingDir: "relative" }, "workingDir"],
      [{ name: "a name" }, "name"],
      [{ apiKey: "short" }, "apiKey"],
      [{ hostPort: 70_000 }, "hostPort"],
      [{ hostPort: 8000, network: "none" }, "hostPort"],
      [{ environment: { "A; id #": "" } }, "environment"],
      [{ extraBindMounts: ["/tmp:relative"] }, "extraBindMounts"],
      [{ memory: -1 }, "memory"],
      [{ healthCheckTimeoutMs: 0 }, "healthCheckTimeoutMs"],
      [{ sifFile: undefined, serverImage: "ftp://image" }, "serverImage"],
      [{ runtimeDir: `/tmp/${"long".repeat(30)}` }, "runtimeDir"],
      [{ pull: "sometimes" } as object, "pull"],
      [{ network: "bridge" } as object, "network"],
      [{ memmory: "1g" } as object, "memmory"],
      [{ extraBindMounts: "/tmp" } as object, "extraBindMounts"],
      [{ sif_file: "/" } as object, "sif_file"],
    ];
    for (const [options, subject] of cases) {
      const error = await failure(options, false);
      expect([error.constructor, error.subject]).toEqual([InvalidRequest, subject]);
    }
    for (const options of [
      { extraBindMounts: ["/nowhere"] },
      { mountDir: "/nowhere" },
      { overlay: "/nowhere" },
      { sifFile: "/nowhere" },
    ]) {
      const error = await failure(options);
      expect([error.constructor, error.subject]).toEqual([NotFound, "/nowhere"]);
    }
  });

  test("there is no such image, in Docker, as an archive, in a registry, or in the cache", async () => {
    const registry = await registryWithout();
    const images = ["docker-daemon:yonder-nothing", "docker-archive:/nowhere.tar", `docker://${registry}/nothing:1`];
    for (const image of images) {
      const error = await failure({ serverImage: image, cacheDir: temporary() });
      expect([image, error.constructor]).toEqual([image, NotFound]);
    }
    const never = await failure({ serverImage: "docker://debian", cacheDir: temporary(), pull: "never" });
    expect(never).toMatchObject({ reason: "IMAGE_NOT_FOUND", subject: "docker://debian" });
  });

  test("Docker does not answer for its image", async () => {
    vi.stubEnv("DOCKER_HOST", "unix:///nowhere/docker.sock");
    onTestFinished(() => void vi.unstubAllEnvs());
    const error = await failure({ serverImage: "docker-daemon:yonder-nothing", cacheDir: temporary() });
    expect(error).toMatchObject({ name: "Unavailable", reason: "ENGINE_MISSING" });
  });

  test("the registry does not answer", async () => {
    vi.stubEnv("APPTAINER_NOHTTPS", "true");
    onTestFinished(() => void vi.unstubAllEnvs());
    const error = await failure({ serverImage: "docker://127.0.0.1:1/image:1", cacheDir: temporary() });
    expect(error).toBeInstanceOf(Unavailable);
    expect(error).toMatchObject({ reason: "ENGINE_FAILED", retryable: true });
  });

  test("what should be an image is none", async () => {
    const sif = join(temporary(), "image.sif");
    writeFileSync(sif, "no image at all, only a text".repeat(1_000));
    const error = await failure({ sifFile: sif });
    expect(error).toBeInstanceOf(InvalidRequest);
    expect(error).toMatchObject({ reason: "IMAGE_INVALID", subject: sif });
    const archive = join(temporary(), "image.tar");
    writeFileSync(archive, "no archive");
    expect(await failure({ serverImage: `docker-archive:${archive}`, cacheDir: temporary() })).toMatchObject({
      reason: "IMAGE_INVALID",
    });
  });

  test("the image's server keeps to another agreement than this client", async () => {
    const sifFile = temporary();
    mkdirSync(join(sifFile, ".singularity.d"));
    for (const [version, remedy] of [
      ["0", /^Build the image anew/],
      ["2", /^Update @yonder\/client/],
    ] as const) {
      writeFileSync(join(sifFile, ".singularity.d/labels.json"), JSON.stringify({ "dev.yonder.contract": version }));
      const error = await failure({ sifFile });
      expect(error).toMatchObject({ name: "Unsupported", reason: "CONTRACT_MISMATCH", subject: sifFile });
      expect(error.remedy).toMatch(remedy);
    }
  });

  test("the name is in use, here or by an instance of somebody's own", async () => {
    const runtimeDir = runtimeDirectory();
    await startInstance({ runtimeDir, name: "taken-1" });
    const here = await failure({ runtimeDir, name: "taken-1" }, false);
    const elsewhere = await failure({ name: "taken-1" });
    for (const error of [here, elsewhere]) {
      expect(error).toBeInstanceOf(AlreadyExists);
      expect(error).toMatchObject({ reason: "NAME_IN_USE", subject: "taken-1" });
    }
  });

  test("the server ends at once, and its last lines say why", async () => {
    const error = await failure({ serverFlags: ["--no-such-flag"] });
    expect(error).toBeInstanceOf(StartFailed);
    expect(error).toMatchObject({ reason: "START_FAILED", exitCode: 2 });
    expect(error.log.join("\n")).toContain("--no-such-flag");
    expect(error.message).toContain("--no-such-flag");

    const without = await failure({ sifFile: (await smallImage()).path });
    expect(without).toMatchObject({ exitCode: 127, message: expect.stringContaining("bindServer") as string });
  });

  test("Apptainer itself cannot run the start, and its own last lines say why", async () => {
    const sifFile = join(temporary(), "image");
    await shell("cp", ["-a", (await smallImage()).path, sifFile]);
    // A script that ends before it can say anything.
    rmSync(join(sifFile, "usr/bin/dash"));
    writeFileSync(join(sifFile, "usr/bin/dash"), "#!/usr/bin/bash\necho no shell here >&2\n", { mode: 0o755 });
    const error = await failure({ sifFile, bindServer: true });
    expect(error).toBeInstanceOf(StartFailed);
    expect(error).toMatchObject({
      reason: "START_FAILED",
      message: expect.stringContaining("no shell here") as string,
    });
  });

  test("the port of this machine is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void other.close());
    const error = await failure({ hostPort: (other.address() as AddressInfo).port });
    expect(error).toBeInstanceOf(AlreadyExists);
    expect(error).toMatchObject({ reason: "PORT_IN_USE" });
  });

  test("the server never answers", async () => {
    const directory = temporary();
    mkdirSync(join(directory, "bin"));
    writeFileSync(join(directory, "bin/yonder"), "#!/bin/sh\necho I am thinking\nsleep 1000\n");
    chmodSync(join(directory, "bin/yonder"), 0o755);
    const error = await failure({
      sifFile: (await smallImage()).path,
      bindServer: directory,
      healthCheckTimeoutMs: 5_000,
    });
    expect(error).toBeInstanceOf(StartFailed);
    expect(error).toMatchObject({ reason: "START_TIMED_OUT", log: ["I am thinking"], retryable: true });
  });

  test("the start is aborted, while it builds or while it waits", async () => {
    const cacheDir = temporary();
    const building = new AbortController();
    const onLog = () => building.abort(new Error("enough"));
    const error = await failure({
      serverImage: `docker-daemon:${(await smallImage()).name}`,
      cacheDir,
      onLog,
      signal: building.signal,
    });
    expect(error).toBeInstanceOf(AbortError);
    await until(() => readdirSync(cacheDir).every((name) => name.endsWith(".lock") || name === "layers"));
    expect(await failure({ signal: AbortSignal.timeout(200) })).toBeInstanceOf(AbortError);
  });

  test("there is no room in the cache", async () => {
    const cacheDir = temporary();
    await shell("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", cacheDir]);
    onTestFinished(async () => void (await works("umount", [cacheDir])));
    const image = `docker-archive:${await smallArchive()}`;
    const error = await failure({ serverImage: image, cacheDir });
    expect(error).toBeInstanceOf(LimitExceeded);
    expect(error).toMatchObject({ reason: "STORAGE_FULL", subject: cacheDir, retryable: true });
    expect(readdirSync(cacheDir).filter((name) => name.includes("part"))).toEqual([]);
  });

  test("two starts want the same image at once: it is built once", async () => {
    const cacheDir = temporary();
    const image = `docker-archive:${await smallArchive()}`;
    const lines: string[] = [];
    const options = { serverImage: image, cacheDir, onLog: (line: string) => void lines.push(line) };
    await Promise.all([failure(options), failure(options), failure(options)]);
    expect(lines.filter((line) => line.includes("Build complete"))).toHaveLength(1);
    expect(readdirSync(cacheDir).filter((name) => name.endsWith(".sif"))).toHaveLength(1);
  });

  test("the instance is ended from outside, or its memory is", async () => {
    const workspace = await startInstance({ retry: { maxElapsedMs: 500 } });
    const handle = await workspace.spawn("sleep 1000");
    await shell(engines.program, ["instance", "stop", "--signal", "KILL", workspace.name]);
    expect(await workspace.alive()).toBe(false);
    await expect(handle.wait()).rejects.toBeInstanceOf(ConnectionLost);
    await expect(workspace.executeCommand("true")).rejects.toBeInstanceOf(ConnectionLost);
    await expect(workspace.resume()).rejects.toMatchObject({ reason: "WORKSPACE_NOT_FOUND" });
  });

  test("the program that started it is killed: its instance is found and swept, a kept one is not", async () => {
    const runtimeDir = runtimeDirectory();
    const options = await instanceOptions({ runtimeDir });
    const crashed = await startAndCrash({ ...options, name: "crashed-1" });
    expect(crashed).toBe("crashed-1");
    await startAndCrash({ ...options, name: "kept-1", keepAlive: true, apiKey: "a-key-that-is-long-enough" });
    // One that is in use is left alone.
    const mine = await startInstance({ runtimeDir });

    expect(await ApptainerWorkspace.sweep({ runtimeDir })).toEqual(["crashed-1"]);
    expect(await mine.alive()).toBe(true);
    expect(await instancesOf(runtimeDir)).not.toContain("crashed-1");
    const again = { runtimeDir, name: "kept-1", apiKey: "a-key-that-is-long-enough", onClose: "remove" as const };
    await (await ApptainerWorkspace.reattach(again)).close();
    expect(await ApptainerWorkspace.sweep({ runtimeDir })).toEqual([]);
  });

  test("the directory for instances belongs to somebody else", async () => {
    const runtimeDir = temporary();
    chmodSync(runtimeDir, 0o777);
    expect(await failure({ runtimeDir })).toBeInstanceOf(PermissionDenied);
  });
});

/** What a start rejects with; nothing may be left of it. */
async function failure(options: ApptainerWorkspaceOptions, checked = true): Promise<StartFailed> {
  const runtimeDir = options.runtimeDir ?? runtimeDirectory();
  const complete = {
    ...(await instanceOptions({ healthCheckTimeoutMs: 60_000, ...options, runtimeDir })),
    ...options,
    runtimeDir,
  };
  const error = await ApptainerWorkspace.start(complete).then(
    async (workspace) => {
      await workspace.close();
      throw new Error("it was started");
    },
    (thrown: unknown) => thrown as StartFailed,
  );
  if (checked) {
    const instances = join(runtimeDir, "apptainer");
    expect(existsSync(instances) ? readdirSync(instances) : []).toEqual([]);
    expect(await instancesOf(runtimeDir)).toEqual([]);
  }
  return error;
}

/** Starts a workspace in a program of its own, which is killed once it is up. */
async function startAndCrash(options: ApptainerWorkspaceOptions): Promise<string> {
  const module = fileURLToPath(new URL("../../../client/src/apptainer/apptainer-workspace.ts", import.meta.url));
  const script = `
    const { ApptainerWorkspace } = await import(${JSON.stringify(module)});
    const workspace = await ApptainerWorkspace.start(${JSON.stringify(options)});
    console.log(workspace.name);
    setInterval(() => {}, 1_000);
  `;
  const args = [...nodeArguments, "--input-type=module", "--eval", script];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [name] = (await once(child.stdout, "data")) as [Buffer];
  child.kill("SIGKILL");
  await once(child, "exit");
  return name.toString().trim();
}

/** A Docker archive of a few hundred KB that has no program at all. */
async function smallArchive(): Promise<string> {
  const directory = temporary();
  const name = `yonder-small-${process.pid}`;
  await shell("sh", [
    "-c",
    'head -c 300000 /dev/urandom >"$1/data" && tar -C "$1" -c data | docker import - "$2"',
    "make",
    directory,
    name,
  ]);
  const path = join(directory, "image.tar");
  await shell("docker", ["save", "--output", path, name]);
  await shell("docker", ["rmi", name]);
  return path;
}

/** A registry that has nothing. */
async function registryWithout(): Promise<string> {
  vi.stubEnv("APPTAINER_NOHTTPS", "true");
  const server = createServer((request, response) => {
    if (request.url === "/v2/") return response.end("{}");
    const body = { errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] };
    return response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function temporary(): string {
  const path = mkdtempSync(join(tmpdir(), "yonder-bad-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return path;
}
