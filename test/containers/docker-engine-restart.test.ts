import { expect, inject, onTestFinished, test } from "vitest";
import { DockerWorkspace } from "../../client/src/docker/index.ts";
import { hasDocker, leavesNothingBehind, testImage } from "../helpers/docker-workspaces.ts";
import { cannotStartDaemon, startDockerDaemon } from "../helpers/engines/docker-daemon.ts";
import { shell } from "../helpers/engines/shell.ts";

const docker = inject("docker");
const obstacle = hasDocker ? await cannotStartDaemon() : "there is no Docker engine";

if (hasDocker) leavesNothingBehind();

test.skipIf(obstacle !== undefined)(
  "outlives a restart of its engine with its files, its address and its key",
  async () => {
    const daemon = await startDockerDaemon();
    onTestFinished(() => daemon.stop());
    const from = docker.available && docker.host !== undefined ? `DOCKER_HOST=${docker.host}` : "true";
    const copy = `env ${from} docker save ${testImage} | DOCKER_HOST=${daemon.host} docker load --quiet`;
    await shell("sh", ["-c", copy.replace("env true", "")]);

    const workspace = await DockerWorkspace.start({ serverImage: testImage, pull: "never", dockerHost: daemon.host });
    onTestFinished(() => workspace.close());
    const { host } = workspace;
    await workspace.fs.writeFile("kept.txt", "kept");
    await daemon.restart();
    expect(await workspace.alive()).toBe(false);
    await expect(workspace.executeCommand("true")).rejects.toMatchObject({ reason: "CONTAINER_STOPPED" });
    await workspace.resume();
    expect(workspace.host).toBe(host);
    expect(await workspace.fs.readFile("kept.txt", "utf8")).toBe("kept");
    expect((await workspace.executeCommand("echo back")).stdout).toBe("back\n");
  },
);
