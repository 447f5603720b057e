import { describe, expect, onTestFinished, test, vi } from "vitest";
import { DockerWorkspace } from "../../client/src/docker/index.ts";
import { RemoteWorkspace, workspaceFromJSON } from "../../client/src/index.ts";
import { hasDocker, leavesNothingBehind, startDocker, testImage } from "../helpers/docker-workspaces.ts";
import { shell, works } from "../helpers/engines/shell.ts";
import { until } from "../helpers/until.ts";

describe.skipIf(!hasDocker)("the life of a DockerWorkspace", () => {
  leavesNothingBehind();

  test("one line starts it, and the end of its scope leaves nothing", async () => {
    let id = "";
    {
      await using workspace = await DockerWorkspace.start({ serverImage: testImage, pull: "never" });
      id = workspace.containerId;
      const result = await workspace.executeCommand("echo hello; pwd; id -u");
      expect(result).toMatchObject({ exitCode: 0, stdout: "hello\n/workspace\n1000\n" });
      expect(await workspace.alive()).toBe(true);
    }
    expect(await works("docker", ["inspect", id])).toBe(false);
  });

  test("is published on loopback alone, with a key that neither inspect nor the container knows", async () => {
    const workspace = await startDocker();
    const inspection = await shell("docker", ["inspect", workspace.containerId]);
    expect(inspection).toContain('"HostIp": "127.0.0.1"');
    expect(inspection).not.toContain('"HostIp": "0.0.0.0"');
    expect(inspection).not.toContain(workspace.apiKey);
    const { stdout } = await workspace.executeCommand(
      "env; cat /etc/yonder/api-keys; cat /proc/*/cmdline /proc/*/environ",
    );
    expect(stdout).toContain("sha256:");
    expect(stdout).not.toContain(workspace.apiKey);
    const write = await workspace.executeCommand("echo sha256:0 >> /etc/yonder/api-keys");
    expect(write.exitCode).not.toBe(0);
    await expect(RemoteWorkspace.connect({ host: workspace.host, apiKey: "x".repeat(43) })).rejects.toThrow(/key/);
    expect(JSON.stringify(workspace)).not.toContain(workspace.apiKey);
  });

  test("pauses and resumes, and refuses calls in between with what to do", async () => {
    const workspace = await startDocker();
    await workspace.pause();
    expect(await workspace.alive()).toBe(false);
    await expect(workspace.executeCommand("true")).rejects.toMatchObject({ reason: "CONTAINER_PAUSED" });
    await workspace.resume();
    expect((await workspace.executeCommand("echo back")).stdout).toBe("back\n");
  });

  test("says that it was stopped behind its back, and resume starts it again with its files", async () => {
    const workspace = await startDocker();
    await workspace.fs.writeFile("kept.txt", "kept");
    await shell("docker", ["kill", workspace.containerId]);
    await expect(workspace.executeCommand("true")).rejects.toMatchObject({ reason: "CONTAINER_STOPPED" });
    expect(await workspace.alive()).toBe(false);
    await workspace.resume();
    expect(await workspace.fs.readFile("kept.txt", "utf8")).toBe("kept");
  });

  test("says that its container was removed", async () => {
    const workspace = await startDocker();
    await shell("docker", ["rm", "--force", workspace.containerId]);
    await expect(workspace.executeCommand("true")).rejects.toMatchObject({ reason: "CONTAINER_GONE" });
    await expect(workspace.resume()).rejects.toMatchObject({ reason: "CONTAINER_GONE" });
  });

  test("works without a network, over a socket", async () => {
    const workspace = await startDocker({ network: "none" });
    expect(workspace.host).toMatch(/^unix:/);
    const { stdout } = await workspace.executeCommand("ls /sys/class/net");
    expect(stdout).toBe("lo\n");
    await workspace.fs.writeFile("a.txt", "a");
    expect(await workspace.fs.readFile("a.txt", "utf8")).toBe("a");
  });

  test("works on the host's network, on its loopback alone", async () => {
    const workspace = await startDocker({ network: "host" });
    expect((await workspace.executeCommand("echo hello")).stdout).toBe("hello\n");
    const { port } = new URL(workspace.host);
    expect(await shell("sh", ["-c", `ss -Hltn 'sport = :${port}'`])).toMatch(/127\.0\.0\.1:/);
  });

  test("takes what docker run takes", async () => {
    vi.stubEnv("TEST_FORWARDED", "forwarded");
    onTestFinished(() => void vi.unstubAllEnvs());
    const workspace = await startDocker({
      name: `yonder-test-${process.pid}`,
      workingDir: "/work/here",
      volumes: [`${import.meta.dirname}:/sources:ro`],
      environment: { GIVEN: "given" },
      forwardEnv: ["TEST_FORWARDED", "TEST_MISSING"],
      extraPorts: [3000],
      memory: "512m",
      cpus: 0.5,
      pids: 100,
      ulimits: { nofile: 1_234 },
      labels: { team: "blue" },
      tmpfs: { "/scratch": "size=16m" },
      shmSize: "32m",
    });
    const script =
      "pwd; touch a; ulimit -n; echo $GIVEN $TEST_FORWARDED; ls /sources; touch /sources/x; df -m /scratch /dev/shm | awk '{print $2}'";
    const { stdout } = await workspace.executeCommand(script);
    expect(stdout).toMatch(/^\/work\/here\n1234\ngiven forwarded\n[^]*docker-life.test.ts/);
    expect(stdout).toMatch(/16\n32\n$/);
    const server = await workspace.spawn(`node -e 'require("http").createServer((q,r)=>r.end("app")).listen(3000)'`);
    const answer = async () =>
      await fetch(`http://127.0.0.1:${workspace.ports.get(3000)}`).then(
        (r) => r.text(),
        () => "",
      );
    await until(async () => (await answer()) === "app");
    await server.kill();
    const [inspection] = JSON.parse(await shell("docker", ["inspect", workspace.containerId])) as [Inspection];
    expect(inspection.HostConfig).toMatchObject({ Memory: 512 << 20, NanoCpus: 5e8, PidsLimit: 100 });
    expect(inspection.Config.Labels).toMatchObject({ team: "blue" });
  });

  test("is attached to again by name, by label and by its description, with a key of its own", async () => {
    const workspace = await startDocker({ labels: { task: "reattach" } });
    const exec = await workspace.spawn("sleep 100", { execId: "the-sleep" });
    exec.detach();
    await using byName = await DockerWorkspace.reattach({ name: workspace.containerName });
    await using byLabel = await DockerWorkspace.reattach({ labels: { task: "reattach" } });
    await using described = await workspaceFromJSON(workspace.toJSON());
    for (const each of [byName, byLabel, described]) expect((await each.attach("the-sleep")).execId).toBe("the-sleep");
    expect(byName.apiKey).not.toBe(workspace.apiKey);
    await byName.close();
    expect(await workspace.alive()).toBe(true);
    await expect(DockerWorkspace.reattach({ labels: { task: "other" } })).rejects.toMatchObject({
      reason: "CONTAINER_GONE",
    });
  });

  test("is kept by keepAlive, and paused by onClose", async () => {
    for (const [options, status] of [
      [{ keepAlive: true }, "running\n"],
      [{ onClose: "pause" }, "paused\n"],
    ] as const) {
      const workspace = await startDocker(options);
      await workspace.close();
      expect(await shell("docker", ["inspect", "--format={{.State.Status}}", workspace.containerId])).toBe(status);
      await shell("docker", ["rm", "--force", "--volumes", workspace.containerId]);
    }
  });

  test("gives the server's log as it comes", async () => {
    const lines: string[] = [];
    const workspace = await startDocker({ onLog: (line) => lines.push(line) });
    await until(() => lines.some((line) => line.includes("listening")));
    expect((await workspace.logs()).join("\n")).toContain("listening");
  });
});

interface Inspection {
  readonly HostConfig: Record<string, unknown>;
  readonly Config: { readonly Labels: Record<string, string> };
}
