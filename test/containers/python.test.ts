import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";
import { DockerWorkspace } from "../../client/src/docker/index.ts";
import { shell } from "../helpers/engines/shell.ts";
import { run } from "../helpers/run.ts";
import { until } from "../helpers/until.ts";

const docker = inject("docker");
const clientDirectory = fileURLToPath(new URL("../../clients/python", import.meta.url));
/** What `npm run languages python` has installed the package into. */
const python = fileURLToPath(new URL("../../.cache/languages/python/bin/python", import.meta.url));
const isInstalled = existsSync(python);
if (!isInstalled) {
  if (process.env["REQUIRE_LANGUAGES"] === "1") throw new Error("run `npm run languages python` before these tests");
  process.stderr.write("SKIP Python's DockerWorkspace: `npm run languages python` installs the package\n");
}

test.skipIf(!docker.available || !isInstalled)("Python's DockerWorkspace works in a container", async () => {
  const env = { YONDER_TEST_IMAGE: docker.available ? docker.image : "", YONDER_HOST: "none", YONDER_API_KEY: "none" };
  const said = await shell(python, ["-m", "pytest", "--quiet", "-m", "engine"], { cwd: clientDirectory, env });
  expect(said).toMatch(/\b4 passed/);
});

test.skipIf(!docker.available || !isInstalled)("what a killed Python program leaves is found and swept", async () => {
  const label = `yonder-test-${process.pid}`;
  const program = `
import os, sys
from yonder_workspace import DockerWorkspace
workspace = DockerWorkspace(sys.argv[1], run_options=["--label=" + sys.argv[2] + "=1"])
os.kill(os.getpid(), int(sys.argv[3]))
`;
  const image = docker.available ? docker.image : "";
  const listed = () => DockerWorkspace.listOrphans({ labels: { [label]: "1" } });
  expect(await run(python, ["-c", program, image, label, "9"])).toMatchObject({ exitCode: null });
  expect(await listed()).toHaveLength(1);
  expect(await DockerWorkspace.sweep({ labels: { [label]: "1" } })).toHaveLength(1);
  expect(await listed()).toEqual([]);

  // One that runs is nobody's orphan.
  const running = spawn(python, ["-c", program, image, label, "19"], { stdio: "ignore" });
  const containers = () => shell("docker", ["ps", "--quiet", `--filter=label=${label}`]);
  try {
    await until(async () => (await containers()) !== "");
    expect(await listed()).toEqual([]);
  } finally {
    running.kill("SIGKILL");
    await once(running, "exit");
    await until(async () => (await DockerWorkspace.sweep({ labels: { [label]: "1" } })).length === 1);
  }
});
