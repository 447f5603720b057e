import { describe, expect, inject, test } from "vitest";
import { shell, works } from "../helpers/engines/shell.ts";
import { leavesNothingBehind } from "../helpers/docker-workspaces.ts";
import { runContainer } from "../helpers/engines/containers.ts";
import { until } from "../helpers/until.ts";

const docker = inject("docker");
const image = docker.available ? docker.image : "";
const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const withKey = ["--env", `YONDER_SERVER_API_KEYS=${digest}`];

describe.skipIf(!docker.available)("the image", () => {
  leavesNothingBehind();

  test("refuses to serve without a key and says what to do", async () => {
    const attempt = shell("docker", ["run", "--rm", image], { timeoutMs: 60_000 });
    await expect(attempt).rejects.toThrow(/ended with 2:[^]*without a key[^]*--api-key-file/);
  });

  test("runs as a user, not as root, and has git, ssh, ripgrep, certificates and the command", async () => {
    const script =
      "id -u; git --version; ssh -V 2>&1; rg --version; ls /etc/ssl/certs/ca-certificates.crt; yonder --version";
    const said = await shell("docker", ["run", "--rm", "--entrypoint", "sh", image, "-euc", script]);
    expect(said).toMatch(/^1000\ngit version .*\nOpenSSH.*\nripgrep 1[^]*ca-certificates.crt\n\d+\.\d+\.\d+\n$/);
  });

  test("tells the engine that it is healthy", async () => {
    const container = await runContainer([...withKey, "--health-interval=200ms", image]);
    const health = () => shell("docker", ["inspect", "--format={{.State.Health.Status}}", container]);
    await until(async () => (await health()) === "healthy\n");
  });

  test("drains and ends with 0 at SIGTERM", async () => {
    const container = await runContainer([...withKey, image]);
    await until(async () => (await shell("docker", ["logs", container])).includes("listening"));
    await shell("docker", ["kill", "--signal=TERM", container]);
    expect(await shell("docker", ["wait", container])).toBe("0\n");
  });

  test("reaps what commands leave to process 1", async () => {
    const container = await runContainer([...withKey, image]);
    const inside = (script: string) => shell("docker", ["exec", container, "sh", "-c", script]);
    // Forked twice: its parent is gone when it ends, and nobody but process 1 can wait for it.
    const pid = (await inside("sh -c 'sleep 3 >/dev/null 2>&1 & echo $!'")).trim();
    expect(await inside(`cat /proc/${pid}/comm; grep PPid /proc/${pid}/status`)).toBe("sleep\nPPid:\t1\n");
    await until(async () => (await inside(`test -e /proc/${pid} && echo there || echo gone`)) === "gone\n");
  });

  test("leaves no archive lists, compilers or sources behind", async () => {
    expect(await works("docker", ["run", "--rm", "--entrypoint", "sh", image, "-c", "! command -v g++ python3"])).toBe(
      true,
    );
    const left = await shell("docker", [
      "run",
      "--rm",
      "--entrypoint",
      "find",
      image,
      "/opt/yonder",
      "-name",
      "*.d.ts",
    ]);
    expect(left).toBe("");
  });
});
