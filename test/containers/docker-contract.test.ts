import { afterAll, expect, test } from "vitest";
import { DockerWorkspace } from "../../client/src/docker/index.ts";
import type { DockerWorkspaceOptions } from "../../client/src/docker/index.ts";
import type { CommandResult } from "../../client/src/index.ts";
import type { Body } from "../contract/workspace-suite.ts";
import { workspaceSuite } from "../contract/workspace-suite.ts";
import { belongings, hasDocker, testImage } from "../helpers/docker-workspaces.ts";
import { tick } from "../helpers/time.ts";
import { until } from "../helpers/until.ts";

const before = hasDocker ? await belongings() : [];
// Registered first, so that it is done last.
afterAll(async () => {
  if (hasDocker) expect(await belongings()).toEqual(before);
});

// Beside the suites, since it does little but wait; the last test says what became of it.
const paused = hasDocker ? overAPause() : undefined;
paused?.catch(() => {});

if (hasDocker) {
  workspaceSuite("DockerWorkspace", openDocker({}));
  workspaceSuite("DockerWorkspace without network, rights, known user or writable root", openDocker(hardened()));
}

test.skipIf(!hasDocker)("a pause of 60 s does not count for a time limit of 30 s", { timeout: 180_000 }, async () => {
  const { runningAfter, result } = (await paused) ?? {};
  expect(runningAfter).toBe(true);
  expect(result).toMatchObject({ reason: "TIMED_OUT", timeoutOccurred: true });
  // It ran for as long as it was allowed to, less what a busy machine takes from its steps, and lost nothing.
  const stdout = result?.stdout ?? "";
  const steps = Number(stdout.trimEnd().split("\n").at(-1));
  expect(steps).toBeGreaterThan(100);
  expect(stdout).toBe(Array.from({ length: steps }, (_, index) => `${index + 1}\n`).join(""));
});

/** A command with a time limit of 30 s whose container is paused for 60 s in its midst. */
async function overAPause(): Promise<{ readonly runningAfter: boolean; readonly result: CommandResult }> {
  await using workspace = await DockerWorkspace.start({ serverImage: testImage, pull: "never" });
  const isRunning = async () => (await workspace.execs({ state: "running" })).length === 1;
  const script = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done";
  const running = workspace.executeCommand(script, { timeoutMs: 30_000 });
  running.catch(() => {});
  await until(isRunning);
  await tick(2_000);
  await workspace.pause();
  await tick(60_000);
  await workspace.resume();
  return { runningAfter: await isRunning(), result: await running };
}

function hardened(): DockerWorkspaceOptions {
  return { network: "none", readOnly: true, user: "54321:54321", capDrop: ["ALL"], memory: "1g", pids: 2_000 };
}

function openDocker(options: DockerWorkspaceOptions): () => Promise<Body> {
  return async () => {
    const workspace = await DockerWorkspace.start({ serverImage: testImage, pull: "never", ...options });
    return {
      workspace,
      reopen: () => DockerWorkspace.reattach({ name: workspace.containerId }),
      [Symbol.asyncDispose]: () => workspace.close(),
    };
  };
}
