import { DockerWorkspace } from "../../client/src/docker/index.ts";
import type { DockerWorkspaceOptions } from "../../client/src/docker/index.ts";
import type { Body } from "../contract/workspace-suite.ts";
import { workspaceSuite } from "../contract/workspace-suite.ts";
import { hasDocker, testImage } from "../helpers/docker-workspaces.ts";

if (hasDocker) {
  workspaceSuite("DockerWorkspace", openDocker({}));
  workspaceSuite("DockerWorkspace without network, rights, known user or writable root", openDocker(hardened()));
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
