import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { beforeEach, expect, inject, onTestFinished } from "vitest";
import { DockerWorkspace } from "../../client/src/docker/index.ts";
import type { DockerWorkspaceOptions } from "../../client/src/docker/index.ts";
import { shell } from "./engines/shell.ts";

const docker = inject("docker");

/** The image that was built for the tests. */
export const testImage = docker.available ? docker.image : "";
export const hasDocker = docker.available;

/** Starts a workspace that is closed when the test is over. */
export async function startDocker(options: DockerWorkspaceOptions = {}): Promise<DockerWorkspace> {
  const workspace = await DockerWorkspace.start({ serverImage: testImage, pull: "never", ...options });
  onTestFinished(() => workspace.close());
  return workspace;
}

/** After each test nothing may be left that was not there before: containers, volumes, networks, sockets. */
export function leavesNothingBehind(): void {
  beforeEach(async () => {
    const before = await belongings();
    // What is registered first is done last: after what the test itself has to undo.
    onTestFinished(async () => expect(await belongings()).toEqual(before));
  });
}

/** What workspaces have of the engine and of this machine. */
export async function belongings(): Promise<string[]> {
  const lists = await Promise.all([
    shell("docker", ["ps", "--all", "--quiet", "--no-trunc", "--filter=label=dev.yonder.workspace"]),
    shell("docker", ["volume", "ls", "--quiet"]),
    shell("docker", ["network", "ls", "--quiet"]),
    // The engine's way from a published port into a container.
    shell("sh", ["-c", "pgrep -x docker-proxy || true"]),
  ]);
  const sockets = readdirSync(tmpdir()).filter((name) => name.startsWith("yonder-socket-"));
  return [...lists.flatMap((list) => list.split("\n").filter((line) => line !== "")).toSorted(), ...sockets];
}
