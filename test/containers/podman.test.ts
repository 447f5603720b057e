import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { DockerWorkspace } from "../../client/src/docker/index.ts";
import type { DockerWorkspaceOptions } from "../../client/src/docker/index.ts";
import { announce, missing } from "../helpers/engines/found.ts";
import { works } from "../helpers/engines/shell.ts";
import { startPodman } from "../helpers/engines/podman.ts";
import type { PodmanEngine } from "../helpers/engines/podman.ts";
import { wayTo } from "../helpers/way-to-container.ts";

const docker = inject("docker");
const isThere = docker.available && (await works("podman", ["--version"]));
announce("podman", isThere ? { available: true } : missing("there is no podman command, or no Docker with the image"));

describe.skipIf(!isThere)("on Podman's socket", () => {
  let engine: PodmanEngine | undefined;
  let stop = async () => {};

  beforeAll(async () => {
    const started = await startPodman(docker.available ? docker.image : "");
    stop = started.stop;
    if (!started.found.available) throw new Error(started.found.reason);
    engine = started.found;
  }, 300_000);
  afterAll(async () => {
    await stop();
  });
  afterEach(async () => {
    expect(await engine?.podman("ps", "--all", "--quiet")).toBe("");
    expect(await engine?.podman("volume", "ls", "--quiet")).toBe("");
  });

  const start = (options: DockerWorkspaceOptions = {}) =>
    DockerWorkspace.start({ dockerHost: engine?.host, serverImage: docker.available ? docker.image : "", ...options });

  test("a workspace starts, works, is paused and resumed, and is gone at the end of the scope", async () => {
    await using workspace = await start({ readOnly: true, capDrop: ["ALL"], labels: { role: "test" } });
    expect(await workspace.executeCommand("id -u; pwd")).toMatchObject({ exitCode: 0, stdout: "1000\n/workspace\n" });
    await workspace.fs.writeFile("file", "there\n");
    await workspace.pause();
    expect(await workspace.alive()).toBe(false);
    await workspace.resume();
    expect((await workspace.executeCommand("cat file")).stdout).toBe("there\n");
    expect(await engine?.podman("ps", "--quiet")).not.toBe("");
    expect(await wayTo(workspace)).toBe("socket");
  });

  test("a workspace has no network at all where it should have none", async () => {
    await using workspace = await start({ network: "none" });
    const { stdout } = await workspace.executeCommand("tail -n +3 /proc/net/dev | cut -d: -f1");
    expect(stdout.trim()).toBe("lo");
  });

  test("an image that is not there is told as on Docker", async () => {
    const serverImage = "localhost/yonder-nothing:1";
    await expect(start({ serverImage, pull: "never" })).rejects.toMatchObject({ reason: "IMAGE_NOT_FOUND" });
  });
});
