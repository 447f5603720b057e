import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { DockerDevWorkspace } from "../../client/src/docker/index.ts";
import type { PullProgress } from "../../client/src/docker/index.ts";
import { hasDocker, leavesNothingBehind, startDocker, testImage } from "../helpers/docker-workspaces.ts";
import { shell, works } from "../helpers/engines/shell.ts";
import { run } from "../helpers/run.ts";
import { root } from "../docs/pages.ts";

const docker = inject("docker");
const base = docker.available ? docker.baseImage : "";
const ownBase = "yonder-test-base-own";

describe.skipIf(!hasDocker)("a base image of one's own", () => {
  leavesNothingBehind();

  /** Has git and the like already, so that no package is fetched again; and neither a server nor a label. */
  beforeAll(async () => {
    const strip = "rm -rf /opt/yonder /usr/local/bin/yonder /usr/local/bin/rg /usr/local/bin/node; echo mine > /mine";
    const container = `${ownBase}-${process.pid}`;
    await shell("docker", ["run", "--name", container, "--user=0", "--entrypoint=sh", testImage, "-c", strip]);
    const copy = `docker export ${container} | docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' - ${ownBase}`;
    await shell("sh", ["-c", `${copy}; docker rm ${container}`]);
  });
  afterAll(async () => void (await works("docker", ["rmi", "--force", ownBase])));

  test("becomes a workspace by DockerDevWorkspace, which tells how the build goes", { timeout: 300_000 }, async () => {
    const progress: PullProgress[] = [];
    const workspace = await DockerDevWorkspace.start({
      baseImage: ownBase,
      pull: "never",
      buildNetwork: "host",
      cleanupImage: true,
      onProgress: (each) => progress.push(each),
    });
    onTestFinished(() => workspace.close());
    expect((await workspace.executeCommand("cat /mine; id -u")).stdout).toBe("mine\n1000\n");
    expect(progress.some(({ status }) => status.startsWith("Step 1/"))).toBe(true);
    await workspace.close();
    expect(await works("docker", ["image", "inspect", workspace.image])).toBe(false);
  });

  test("is refused where it has a server already, or is given beside one", async () => {
    const start = DockerDevWorkspace.start({ baseImage: testImage, pull: "never" });
    await expect(start).rejects.toMatchObject({ reason: "INVALID_FIELD", subject: "baseImage" });
    await expect(DockerDevWorkspace.start({})).rejects.toMatchObject({ subject: "baseImage" });
    const both = DockerDevWorkspace.start({ baseImage: base, serverImage: testImage });
    await expect(both).rejects.toMatchObject({ subject: "baseImage" });
  });

  test("that cannot be built on says why in the build's words", { timeout: 300_000 }, async () => {
    // Nothing runs there, since there is nothing at all.
    const baseImage = "yonder-test-base-empty";
    const { exitCode, stderr } = await run("docker", ["build", "--tag", baseImage, "-"], "FROM scratch\nLABEL empty=1");
    if (exitCode !== 0) throw new Error(stderr);
    onTestFinished(async () => void (await works("docker", ["rmi", "--force", baseImage])));
    const start = DockerDevWorkspace.start({ baseImage, pull: "never", buildNetwork: "host" });
    await expect(start).rejects.toMatchObject({
      name: "ServerError",
      reason: "BUILD_FAILED",
      message: expect.stringContaining("use-own-node.sh") as string,
    });
  });

  test("becomes a workspace by the recipe, though it has no Node", { timeout: 300_000 }, async () => {
    const args = ["--quiet", "--network=host", `--build-arg=BASE_IMAGE=${base}`, `--build-arg=NODE_IMAGE=${base}`];
    await shell("docker", ["build", ...args, "--target=portable", "--tag=yonder-portable", root], {
      timeoutMs: 300_000,
    });
    onTestFinished(async () => void (await works("docker", ["rmi", "--force", "yonder-portable", "yonder-test-any"])));
    const recipe = [`--build-arg=IMAGE=${ownBase}`, "--quiet", "--tag=yonder-test-any", `${root}/examples/any-image`];
    await shell("docker", ["build", ...recipe], { timeoutMs: 300_000 });
    const workspace = await startDocker({ serverImage: "yonder-test-any" });
    const { stdout } = await workspace.executeCommand(
      "! command -v node && git --version && rg --version && yonder --version",
    );
    expect(stdout).toMatch(/^git version[^]*ripgrep[^]*\d\.\d\.\d\n$/);
    await workspace.close();
  });
});
