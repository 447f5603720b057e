import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { DockerWorkspace } from "../../client/src/docker/index.ts";
import { RemoteWorkspace } from "../../client/src/index.ts";
import { hasDocker, leavesNothingBehind, startDocker, testImage } from "../helpers/docker-workspaces.ts";
import { run } from "../helpers/run.ts";
import { shell, works } from "../helpers/engines/shell.ts";
import { wayTo } from "../helpers/way-to-container.ts";

/** Root sees into every container of an engine on this machine. */
const seesContainers = hasDocker && process.platform === "linux" && process.getuid?.() === 0;

describe.skipIf(!seesContainers)("a client that can open the socket in a container", () => {
  leavesNothingBehind();

  test("takes it, and others take the port that the workspace names", async () => {
    const workspace = await startDocker();
    expect(await wayTo(workspace)).toBe("socket");
    await using other = await RemoteWorkspace.connect({ host: workspace.host, apiKey: workspace.apiKey });
    expect(await wayTo(workspace, other)).toBe("port");
    await using attached = await DockerWorkspace.reattach({ name: workspace.containerName });
    expect(await wayTo(workspace, attached)).toBe("socket");
    const big = Buffer.alloc(5 << 20, "x");
    await workspace.fs.writeFile("big", big);
    expect(await workspace.fs.readFile("big")).toEqual(big);
  });

  test.each([
    ["on a read-only root", { readOnly: true, capDrop: ["ALL"] }],
    ["as a user that the image does not know", { user: "12345:12345" }],
    ["with the container's root", { user: 0 }],
  ])("takes it %s", async (_name, options) => {
    expect(await wayTo(await startDocker(options))).toBe("socket");
  });

  test("takes it on a network of the engine's", async () => {
    const network = `yonder-test-${process.pid}`;
    await shell("docker", ["network", "create", network]);
    onTestFinished(async () => void (await works("docker", ["network", "rm", network])));
    const workspace = await startDocker({ network });
    expect(await wayTo(workspace)).toBe("socket");
    await workspace.close();
  });

  test("takes it again after a pause, a stop and a restart behind its back", async () => {
    const workspace = await startDocker();
    const { containerId } = workspace;
    await workspace.pause();
    await workspace.resume();
    expect(await wayTo(workspace)).toBe("socket");
    await shell("docker", ["stop", containerId]);
    await workspace.resume();
    expect(await wayTo(workspace)).toBe("socket");
    await shell("docker", ["restart", containerId]);
    expect((await workspace.executeCommand("echo there")).stdout).toBe("there\n");
    await workspace.resume();
    expect(await workspace.alive()).toBe(true);
  });

  test("goes by the port where the socket is gone, and leaves what a mount covers alone", async () => {
    const workspace = await startDocker();
    await workspace.executeCommand("rm /run/yonder/*.sock", { check: true });
    await using attached = await DockerWorkspace.reattach({ name: workspace.containerName });
    expect(await wayTo(workspace, attached)).toBe("port");

    const directory = mkdtempSync(join(tmpdir(), "yonder-run-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const covered = await startDocker({ volumes: [`${directory}:/run:ro`] });
    expect(await wayTo(covered)).toBe("port");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("follows no link that was put in the socket's place", async () => {
    const workspace = await startDocker();
    const victim = await startDocker();
    const { stdout } = await workspace.executeCommand("cd /run/yonder && ls && ln -sf /nowhere *.sock", {
      check: true,
    });
    expect(stdout).toMatch(/^[0-9a-f]{12}\.sock\n$/);
    await using attached = await DockerWorkspace.reattach({ name: workspace.containerName });
    expect(await wayTo(workspace, attached)).toBe("port");
    expect(await wayTo(victim)).toBe("socket");
  });

  test("goes by the port to a server that is too old to have both", async () => {
    const image = "yonder-test-port-alone";
    const recipe = `FROM ${testImage}\nLABEL dev.yonder.socket-beside=""`;
    expect(await run("docker", ["build", "--tag", image, "-"], recipe)).toMatchObject({ exitCode: 0 });
    onTestFinished(async () => void (await works("docker", ["rmi", "--force", image])));
    const workspace = await startDocker({ serverImage: image });
    expect(await wayTo(workspace)).toBe("port");
    expect(await shell("docker", ["inspect", workspace.containerId])).not.toContain("YONDER_SERVER_SOCKET");
    await workspace.close();
  });
});
