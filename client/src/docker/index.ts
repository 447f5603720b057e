export type { DockerDescription } from "../workspace.ts";
export { DockerDevWorkspace } from "./docker-dev-workspace.ts";
export type { DockerDevWorkspaceOptions } from "./docker-dev-workspace.ts";
export type { DockerWorkspaceOptions, ReattachOptions } from "./docker-options.ts";
export { DockerWorkspace } from "./docker-workspace.ts";
export type { Orphan, OrphanOptions } from "./orphans.ts";
export type { PullProgress } from "./pull-image.ts";
