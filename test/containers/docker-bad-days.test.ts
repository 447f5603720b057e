import { existsSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { DockerWorkspace } from "../../client/src/docker/index.ts";
import type { DockerWorkspaceOptions } from "../../client/src/docker/index.ts";
import { hasDocker, leavesNothingBehind, startDocker, testImage } from "../helpers/docker-workspaces.ts";
import { run } from "../helpers/run.ts";
import { shell, works } from "../helpers/engines/shell.ts";

const docker = inject("docker");
const base = docker.available ? docker.baseImage : "";

describe.skipIf(!hasDocker)("a DockerWorkspace on a bad day", () => {
  leavesNothingBehind();

  const made: string[] = [];
  beforeAll(async () => {
    const sleeper = ["ENTRYPOINT []", 'CMD ["sh", "-c", "echo I am no server; exec sleep 1000"]'];
    await makeImage("yonder-test-sleeper", base, sleeper);
    await makeImage("yonder-test-older", testImage, ['LABEL dev.yonder.contract="0"']);
    await makeImage("yonder-test-newer", testImage, ['LABEL dev.yonder.contract="2"']);
  });
  afterAll(async () => void (made.length > 0 && (await works("docker", ["rmi", "--force", ...made]))));

  async function makeImage(name: string, from: string, lines: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await run(
      "docker",
      ["build", "--tag", name, "-"],
      [`FROM ${from}`, ...lines].join("\n"),
    );
    if (exitCode !== 0) throw new Error(stderr);
    made.push(name);
  }

  /** What the start rejects with. */
  async function failure(options: DockerWorkspaceOptions): Promise<unknown> {
    try {
      await startDocker(options);
    } catch (error) {
      return error;
    }
    throw new Error("the workspace started");
  }

  test("says where it looked for an engine that is not there", async () => {
    const error = await failure({ dockerHost: "unix:///nonexistent/docker.sock" });
    expect(error).toMatchObject({
      name: "Unavailable",
      reason: "ENGINE_MISSING",
      subject: "unix:///nonexistent/docker.sock",
    });
    expect(error).toMatchObject({ remedy: expect.stringContaining("DOCKER_HOST") as string });
  });

  test.skipIf(process.getuid?.() !== 0)("says that this user may not use the engine", async () => {
    process.seteuid?.(65_534);
    onTestFinished(() => process.seteuid?.(0));
    const error = await failure({});
    process.seteuid?.(0);
    expect(error).toMatchObject({ name: "PermissionDenied", reason: "ENGINE_DENIED" });
  });

  test("says that there is no image, or that it cannot be pulled", async () => {
    expect(await failure({ serverImage: "yonder-test-nothing:1" })).toMatchObject({ reason: "IMAGE_NOT_FOUND" });
    const pulled = await failure({ serverImage: "127.0.0.1:1/nothing:1", pull: "missing" });
    expect(pulled).toMatchObject({ reason: "IMAGE_PULL_FAILED", subject: "127.0.0.1:1/nothing:1", retryable: true });
  });

  test("says that the port is taken, by whomever", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await failure({ hostPort: port })).toMatchObject({ reason: "PORT_IN_USE", subject: String(port) });
    const first = await startDocker();
    const taken = Number(new URL(first.host).port);
    expect(await failure({ hostPort: taken })).toMatchObject({ name: "AlreadyExists", reason: "PORT_IN_USE" });
    expect(await first.alive()).toBe(true);
  });

  test("says that the name is in use, and leaves whoever has it alone", async () => {
    const first = await startDocker({ name: `yonder-test-name-${process.pid}` });
    const error = await failure({ name: first.containerName });
    expect(error).toMatchObject({ name: "AlreadyExists", reason: "NAME_IN_USE", subject: first.containerName });
    expect(await first.alive()).toBe(true);
  });

  test("says that the image is for another platform", async () => {
    const error = await failure({ platform: process.arch === "arm64" ? "linux/amd64" : "linux/arm64" });
    expect(error).toMatchObject({ name: "Unsupported", reason: "IMAGE_INVALID" });
  });

  test("says which of image and client is older", async () => {
    const older = await failure({ serverImage: "yonder-test-older" });
    expect(older).toMatchObject({ name: "Unsupported", reason: "CONTRACT_MISMATCH" });
    expect(older).toMatchObject({ remedy: expect.stringMatching(/^Build the image anew/) as string });
    const newer = await failure({ serverImage: "yonder-test-newer" });
    expect(newer).toMatchObject({ remedy: expect.stringMatching(/^Update @yonder\/client/) as string });
  });

  test("says why the container ended, in its own words", async () => {
    const error = await failure({ environment: { YONDER_SERVER_LOG_LEVEL: "shouting" } });
    expect(error).toMatchObject({ name: "StartFailed", reason: "START_FAILED", exitCode: 2 });
    expect((error as Error).message).toContain("shouting");
    expect(await failure({ serverImage: base })).toMatchObject({ reason: "START_FAILED", exitCode: 0 });
  });

  test("says that nothing served in time, and removes it", async () => {
    const error = await failure({
      serverImage: "yonder-test-sleeper",
      healthCheckTimeoutMs: 5_000,
      stopTimeoutMs: 1_000,
    });
    expect(error).toMatchObject({ name: "StartFailed", reason: "START_TIMED_OUT", log: ["I am no server"] });
    const limited = await failure({ serverImage: "yonder-test-sleeper", startTimeoutMs: 1_500 });
    expect(limited).toMatchObject({ reason: "START_TIMED_OUT", subject: "startTimeoutMs" });
  });

  test("leaves nothing when the start is aborted, at whichever moment", async () => {
    for (const delayMs of [0, 30, 100, 250, 500]) {
      const signal = AbortSignal.timeout(delayMs);
      expect(await failure({ serverImage: "yonder-test-sleeper", signal })).toMatchObject({ name: "AbortError" });
    }
  });

  test("says that the container was out of memory", async () => {
    expect(await failure({ memory: "16m" })).toMatchObject({
      name: "LimitExceeded",
      reason: "CONTAINER_OUT_OF_MEMORY",
    });
  });

  test("says that a disk is full, at the start and later", async () => {
    expect(await failure({ tmpfs: { "/var/lib/yonder": "size=4k,mode=1777" } })).toMatchObject({
      reason: "STORAGE_FULL",
    });
    const workspace = await startDocker({ tmpfs: { "/workspace": "size=1m,mode=1777" } });
    const write = workspace.fs.writeFile("large", Buffer.alloc(4 << 20));
    await expect(write).rejects.toMatchObject({ reason: "STORAGE_FULL" });
    expect((await workspace.executeCommand("ls -A")).stdout).toBe("");
  });

  test("says that somebody paused it and forgot", async () => {
    const workspace = await startDocker({ timeouts: { pingIntervalMs: 300, pingTimeoutMs: 500, callMs: 2_000 } });
    await shell("docker", ["pause", workspace.containerId]);
    await expect(workspace.executeCommand("true")).rejects.toMatchObject({
      name: "InvalidState",
      reason: "CONTAINER_PAUSED",
      remedy: expect.stringContaining("resume()") as string,
    });
    await expect(workspace.getServerInfo()).rejects.toMatchObject({ reason: "CONTAINER_PAUSED" });
    await expect(DockerWorkspace.reattach({ name: workspace.containerId })).rejects.toMatchObject({
      reason: "CONTAINER_PAUSED",
    });
    await workspace.resume();
    expect((await workspace.executeCommand("echo back")).stdout).toBe("back\n");
  });

  test("refuses options that make no sense, by name, before anything is started", async () => {
    const wrong: [string, DockerWorkspaceOptions][] = [
      ["hostPort", { hostPort: 70_000 }],
      ["extraPorts", { extraPorts: [8_000] }],
      ["memory", { memory: "much" }],
      ["cpus", { cpus: 0 }],
      ["workingDir", { workingDir: "relative" }],
      ["volumes", { volumes: ["/only-one"] }],
      ["hostPort", { network: "none", hostPort: 1_234 }],
      ["dockerHost", { dockerHost: "ssh://host" }],
      ["serverImage", { serverImage: "Not an image?x=1" }],
      ["serverImage", { serverImage: "" }],
      ["environment", { environment: { "A; id #": "" } }],
      ["forwardEnv", { forwardEnv: ["A B"] }],
      ["extraPorts", { network: "host", extraPorts: [3_000] }],
      ["labels", { labels: { number: 1 } } as object],
      ["memmory", { memmory: "1g" } as object],
      // What only the engine knows.
      ["user", { user: "ghost" }],
      ["network", { network: "yonder-test-nowhere" }],
      ["ulimits", { ulimits: { junk: 1 } }],
      ["workingDir", { workingDir: "/etc/passwd" }],
      ["runtime", { runtime: "yonder-test-no-runtime" }],
    ];
    for (const [subject, options] of wrong)
      expect(await failure(options)).toMatchObject({ name: "InvalidRequest", reason: "INVALID_FIELD", subject });
    await expect(DockerWorkspace.start({ server_image: testImage } as object)).rejects.toMatchObject({
      message: "server_image is called serverImage here",
    });
  });

  test("makes no directory of a volume's source that is not there", async () => {
    const source = join(tmpdir(), `yonder-test-nowhere-${process.pid}`);
    expect(await failure({ volumes: [`${source}:/data`] })).toMatchObject({ subject: "volumes" });
    expect(existsSync(source)).toBe(false);
  });

  test("looks for the image that it takes by default in no registry, and says how to build it", async () => {
    await expect(DockerWorkspace.start()).rejects.toMatchObject({
      reason: "IMAGE_NOT_FOUND",
      remedy: expect.stringContaining("docker build -t yonder-workspace .") as string,
    });
  });
});
